"""The import path of databroker 1.x, and what only its interface has.

The names below are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names

if TYPE_CHECKING:
    from ..broker import Broker
    from ..broker.temporary import temp
    from ..config import describe_configs, list_configs, lookup_config
    from ..documents.readonly import ALL
    from ..errors import InvalidConfiguration as InvalidConfig
    from ..runs import Header
    from ..runs.doct import DeprecatedDoct, wrap_in_deprecated_doct, wrap_in_doct
    from ..runs.results import Results
    from ..utils import get_fields, temp_config
    from .registry import Registry

_HOMES = {
    "ALL": "..documents.readonly",
    "Broker": "..broker",
    "DeprecatedDoct": "..runs.doct",
    "Header": "..runs",
    "InvalidConfig": "..errors:InvalidConfiguration",
    "Registry": ".registry",
    "Results": "..runs.results",
    "describe_configs": "..config",
    "get_fields": "..utils",
    "list_configs": "..config",
    "lookup_config": "..config",
    "temp": "..broker.temporary",
    "temp_config": "..utils",
    "wrap_in_deprecated_doct": "..runs.doct",
    "wrap_in_doct": "..runs.doct",
}

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

__getattr__ = lazy_names(__name__, _HOMES)
