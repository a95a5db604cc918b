"""The indexes with which a database is fast, and with which two programs may write at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._util.signals import not_from_signal
from ...errors import StoreAway, StoreUnavailable
from .database import Order
from .databases import Databases
from .layout import PLACES


class Index(NamedTuple):
    """An index of a kind of documents."""

    kind: str
    keys: Order
    unique: bool = False


UNIQUE = (
    Index("start", (("uid", 1),), True),
    Index("stop", (("uid", 1),), True),
    Index("stop", (("run_start", 1),), True),
    Index("descriptor", (("uid", 1),), True),
    Index("event", (("uid", 1), ("descriptor", 1)), True),
    Index("datum", (("datum_id", 1),), True),
    Index("stream_resource", (("uid", 1),), True),
    Index("stream_datum", (("uid", 1), ("stream_resource", 1)), True),
)
"""Those that keep two programs from storing a document twice."""

OTHERS = (
    Index("start", (("time", -1), ("_id", -1))),
    Index("start", (("scan_id", -1), ("_id", -1))),
    Index("descriptor", (("run_start", 1), ("_id", 1))),
    Index("event", (("descriptor", 1), ("_id", 1))),
    Index("event", (("descriptor", -1), ("time", 1))),  # databroker 1.x reads in this order
    Index("resource", (("uid", 1),)),  # of which databroker 1.x stores some twice
    Index("resource", (("run_start", 1), ("_id", 1))),
    Index("datum", (("resource", 1), ("_id", 1))),
    Index("stream_resource", (("run_start", 1), ("_id", 1))),
    Index("stream_datum", (("stream_resource", 1), ("_id", 1))),
)
"""Those by which documents are looked up."""


def make_indexes(databases: Databases, indexes: Sequence[Index]) -> list[str]:
    """Make the indexes that are not there; return the names of all.

    One that cannot be made keeps none of the others from being made, and is told at the end.
    """
    names, failed = [], None
    for index in indexes:
        place = PLACES[index.kind]
        how = {"unique": True} if index.unique else {}
        try:
            name = databases.of(place).create_index(place.collection, index.keys, **how)
            names.append(f"{place.collection}.{name}")
        except StoreAway:
            raise
        except not_from_signal(StoreUnavailable) as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return names
