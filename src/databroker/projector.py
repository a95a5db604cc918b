"""The import path of databroker 1.x for runs under other names."""

from .errors import ProjectionError
from .v2.projector import (
    Projector,
    get_run_projection,
    get_xarray_config_field,
    project_summary_dict,
    project_xarray,
)

__all__ = [
    "ProjectionError",
    "Projector",
    "get_run_projection",
    "get_xarray_config_field",
    "project_summary_dict",
    "project_xarray",
]
