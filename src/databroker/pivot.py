"""The import path of databroker 1.x for events that are turned about."""

from .errors import EventsDoNotFit as EventsDoNotFit
from .v1.pivot import pivot_timeseries as pivot_timeseries
from .v1.pivot import reset_time as reset_time
from .v1.pivot import zip_events as zip_events
