"""The import path of databroker 1.x, and what only its interface has.

The names below are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names

if TYPE_CHECKING:
    from ..config import describe_configs, list_configs, lookup_config
    from ..documents.readonly import ALL
    from ..errors import InvalidConfiguration as InvalidConfig
    from .broker import Broker, temp
    from .doct import DeprecatedDoct, wrap_in_deprecated_doct, wrap_in_doct
    from .header import Header, Results
    from .helpers import get_fields, temp_config
    from .registry import Registry

__all__ = [
    "ALL",
    "Broker",
    "DeprecatedDoct",
    "Header",
    "InvalidConfig",
    "Registry",
    "Results",
    "describe_configs",
    "get_fields",
    "list_configs",
    "lookup_config",
    "temp",
    "temp_config",
    "wrap_in_deprecated_doct",
    "wrap_in_doct",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ALL": "..documents.readonly",
        "Broker": ".broker",
        "DeprecatedDoct": ".doct",
        "Header": ".header",
        "InvalidConfig": "..errors:InvalidConfiguration",
        "Registry": ".registry",
        "Results": ".header",
        "describe_configs": "..config",
        "get_fields": ".helpers",
        "list_configs": "..config",
        "lookup_config": "..config",
        "temp": ".broker",
        "temp_config": ".helpers",
        "wrap_in_deprecated_doct": ".doct",
        "wrap_in_doct": ".doct",
    },
)
