"""An import path of databroker 1.x that programs reach for, private as it is."""

from .config import describe_configs, list_configs, lookup_config
from .documents.kinds import LABELS as DOCT_NAMES
from .documents.readonly import ALL
from .v1.broker import Broker
from .v1.doct import wrap_in_deprecated_doct, wrap_in_doct
from .v1.header import Header, Results
from .v1.helpers import get_fields, temp_config
from .v1.images import Images
from .v1.settings import register_builtin_handlers

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
