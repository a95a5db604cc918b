"""Helpers that scripts for databroker 1.x import from here."""

from .config import describe_configs, list_configs, lookup_config
from .documents.kinds import LABELS as DOCT_NAMES
from .documents.readonly import ALL
from .errors import DuplicateHandler
from .v1.doct import DeprecatedDoct, wrap_in_deprecated_doct, wrap_in_doct
from .v1.helpers import (
    LazyMap,
    apply_to_dict_recursively,
    catalog_search_path,
    ensure_path_exists,
    format_time,
    from_environment,
    get_fields,
    normalize_human_friendly_time,
    sanitize_np,
    temp_config,
    transpose,
)

# Worked out when they are asked for.
CONFIG_SEARCH_PATH: tuple[str, ...]
SPECIAL_NAME: str

__all__ = [
    "ALL",
    "CONFIG_SEARCH_PATH",
    "DOCT_NAMES",
    "SPECIAL_NAME",
    "DeprecatedDoct",
    "DuplicateHandler",
    "LazyMap",
    "apply_to_dict_recursively",
    "catalog_search_path",
    "describe_configs",
    "ensure_path_exists",
    "format_time",
    "get_fields",
    "list_configs",
    "lookup_config",
    "normalize_human_friendly_time",
    "sanitize_np",
    "temp_config",
    "transpose",
    "wrap_in_deprecated_doct",
    "wrap_in_doct",
]

__getattr__ = from_environment
