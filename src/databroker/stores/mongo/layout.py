"""Where documents are in the layouts of databroker 1.x, and which of them a database has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from ...errors import ForeignStore

if TYPE_CHECKING:
    from .database import Database

Part = Literal["metadata", "assets"]


class Place(NamedTuple):
    """A collection, and the database in which it is."""

    part: Part
    collection: str


# Of the layout that is called normalized.
PLACES: dict[str, Place] = {
    "start": Place("metadata", "run_start"),
    "stop": Place("metadata", "run_stop"),
    "descriptor": Place("metadata", "event_descriptor"),
    "event": Place("metadata", "event"),
    "resource": Place("assets", "resource"),
    "datum": Place("assets", "datum"),
    # These, and what is odd, databroker 1.x does not know, and leaves alone.
    "stream_resource": Place("assets", "stream_resource"),
    "stream_datum": Place("assets", "stream_datum"),
}

ODD = Place("metadata", "databroker_odd_run")
"""The uids of runs whose start or stop has keys or values that a search of the server misses."""

_OF_RUNS = {"normalized": PLACES["start"].collection, "embedded": "header"}


def check_layout(database: Database, layout: str) -> None:
    """Refuse a database that has no runs in this layout, but some in the other one.

    Raises
    ------
    ForeignStore
        It is so; the driver that reads it is named.
    """
    (other,) = _OF_RUNS.keys() - {layout}
    if not _has_runs(database, layout) and _has_runs(database, other):
        raise ForeignStore(
            f"{database.name} has no runs in the {layout} layout of databroker 1.x, but some in "
            f"the {other} one. Open it with the driver 'mongo-{other}'."
        )


def _has_runs(database: Database, layout: str) -> bool:
    return database.first(_OF_RUNS[layout], {}, fields={"_id": 1}) is not None
