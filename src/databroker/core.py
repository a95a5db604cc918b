"""The import path of databroker 1.x for runs, streams, and what makes them."""

from .errors import DocumentIsReadOnly as NotMutable
from .runs import Header
from .v2 import BlueskyEventStream, BlueskyRun
from .v2.documents import (
    Datum,
    DatumPage,
    Descriptor,
    Document,
    Event,
    EventPage,
    Resource,
    Start,
    Stop,
)
from .v2.one_run import SingleRunCache
from .v2.one_run import run_from_generator as BlueskyRunFromGenerator
from .v2.paging import to_datum_pages, to_event_pages
from .v2.settings import discover_handlers, parse_handler_registry, parse_transforms, retry

__all__ = [
    "BlueskyEventStream",
    "BlueskyRun",
    "BlueskyRunFromGenerator",
    "Datum",
    "DatumPage",
    "Descriptor",
    "Document",
    "Event",
    "EventPage",
    "Header",
    "NotMutable",
    "Resource",
    "SingleRunCache",
    "Start",
    "Stop",
    "discover_handlers",
    "parse_handler_registry",
    "parse_transforms",
    "retry",
    "to_datum_pages",
    "to_event_pages",
]
