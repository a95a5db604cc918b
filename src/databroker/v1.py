"""The import path of databroker 1.x: names handed on."""

from .broker import Broker
from .broker.temporary import temp
from .config import describe_configs, list_configs, lookup_config
from .documents.readonly import ALL
from .errors import InvalidConfiguration as InvalidConfig
from .external import Registry
from .runs import Header
from .runs.doct import DeprecatedDoct, wrap_in_deprecated_doct, wrap_in_doct
from .runs.results import Results
from .utils import get_fields, temp_config

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
