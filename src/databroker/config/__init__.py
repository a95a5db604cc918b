"""Configurations: the files that say where each broker's documents live."""

from .._util.user_folders import user_data_dir
from .configuration import Configuration
from .forms import together
from .names import (
    describe_configs,
    from_file,
    from_mapping,
    list_configs,
    load,
    load_together,
    lookup_config,
    survey_configs,
)
from .search import user_config_dir

__all__ = [
    "Configuration",
    "describe_configs",
    "from_file",
    "from_mapping",
    "list_configs",
    "load",
    "load_together",
    "lookup_config",
    "survey_configs",
    "together",
    "user_config_dir",
    "user_data_dir",
]
