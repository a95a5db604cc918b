"""The import path of databroker 1.x for events that are turned about."""

from .errors import EventsDoNotFit
from .v1.pivot import pivot_timeseries, reset_time, zip_events

__all__ = ["EventsDoNotFit", "pivot_timeseries", "reset_time", "zip_events"]
