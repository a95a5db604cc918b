"""Where documents of each kind are in the layout of databroker 1.x, called normalized."""

from __future__ import annotations

from typing import Literal, NamedTuple

Part = Literal["metadata", "assets"]


class Place(NamedTuple):
    """A collection, and the database in which it is."""

    part: Part
    collection: str


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
