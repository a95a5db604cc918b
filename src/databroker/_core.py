"""An import path of databroker 1.x that programs reach for, private as it is."""

from .broker import Broker
from .config import describe_configs, list_configs, lookup_config
from .documents.readonly import ALL
from .runs import Header
from .runs.images import Images
from .runs.results import Results
from .utils import (
    DOCT_NAMES,
    get_fields,
    temp_config,
    wrap_in_deprecated_doct,
    wrap_in_doct,
)
from .v2.settings import register_builtin_handlers

__all__ = [
    "ALL",
    "DOCT_NAMES",
    "Broker",
    "Header",
    "Images",
    "Results",
    "describe_configs",
    "get_fields",
    "list_configs",
    "lookup_config",
    "register_builtin_handlers",
    "temp_config",
    "wrap_in_deprecated_doct",
    "wrap_in_doct",
]
