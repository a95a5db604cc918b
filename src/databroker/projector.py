"""The import path of databroker 1.x for runs under other names."""

from .errors import ProjectionError as ProjectionError
from .v2.projector import Projector as Projector
from .v2.projector import get_run_projection as get_run_projection
from .v2.projector import get_xarray_config_field as get_xarray_config_field
from .v2.projector import project_summary_dict as project_summary_dict
from .v2.projector import project_xarray as project_xarray
