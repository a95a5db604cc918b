"""The import path of databroker 1.x for runs, streams, and what makes them."""

from .errors import DocumentIsReadOnly as NotMutable
from .v1.drivers import SingleRunCache
from .v1.drivers import run_from_generator as BlueskyRunFromGenerator
from .v1.header import Header
from .v1.settings import discover_handlers, parse_handler_registry, parse_transforms, retry
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
from .v2.paging import to_datum_pages, to_event_pages
from .v2.run import BlueskyRun
from .v2.stream import BlueskyEventStream

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
