"""The import path of databroker 1.x for events that are turned about."""

from .v1.pivot import EventsDoNotFit, pivot_timeseries, reset_time, zip_events

__all__ = ["EventsDoNotFit", "pivot_timeseries", "reset_time", "zip_events"]
