"""The import path of databroker 1.x for runs, streams, and what makes them."""

from .errors import DocumentIsReadOnly
from .v1.catalogs import SingleRunCache as SingleRunCache
from .v1.catalogs import run_from_generator
from .v1.header import Header as Header
from .v1.settings import discover_handlers as discover_handlers
from .v1.settings import parse_handler_registry as parse_handler_registry
from .v1.settings import parse_transforms as parse_transforms
from .v1.settings import retry as retry
from .v2.documents import Datum as Datum
from .v2.documents import DatumPage as DatumPage
from .v2.documents import Descriptor as Descriptor
from .v2.documents import Document as Document
from .v2.documents import Event as Event
from .v2.documents import EventPage as EventPage
from .v2.documents import Resource as Resource
from .v2.documents import Start as Start
from .v2.documents import Stop as Stop
from .v2.paging import to_datum_pages as to_datum_pages
from .v2.paging import to_event_pages as to_event_pages
from .v2.run import BlueskyRun as BlueskyRun
from .v2.stream import BlueskyEventStream as BlueskyEventStream

NotMutable = DocumentIsReadOnly
BlueskyRunFromGenerator = run_from_generator
