"""The kinds of catalogs that a Tiled server may have, and how each is asked.

There are those that Tiled's Bluesky writer fills, which Tiled itself keeps: events in tables. And
there are those that the adapter of databroker 2 serves from MongoDB, which hands out documents,
and is searched by MongoDB. A catalog says which it is by the version of its spec.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import InvalidConfiguration
from .adapter_filters import adapter_filters_of
from .filters import Filters, Params, filters_of
from .owner import Owner, Rows
from .server import Json, Server

if TYPE_CHECKING:
    from ...query.nodes import Node


@dataclass(frozen=True)
class Kind:
    """How the runs of a catalog are searched, and where their events are."""

    filters_of: Callable[[Node], Filters]
    only_runs: Params  # leaves out what is no run
    newest: Params  # sorts by the time of runs
    by_arrival: Params  # sorts by arrival, what is the same otherwise
    ties_descend: bool  # whether that has the run that arrived last first
    events: Callable[[Server], Callable[[Owner], Rows]]


class Catalog:
    """A catalog of runs on a server, and its kind."""

    def __init__(self, server: Server, kind: Kind) -> None:
        self.server = server
        self.kind = kind
        self.rows = kind.events(server)


def kind_of(entry: Json, name: str) -> Kind:
    """Return the kind of the catalog that an entry describes.

    Raises
    ------
    InvalidConfiguration
        It is a run, or data: no runs could be in it.
    """
    attributes = entry["attributes"]
    specs = attributes.get("specs") or ()
    is_run = any(spec.get("name") == "BlueskyRun" for spec in specs)
    if is_run or attributes.get("structure_family", "container") != "container":
        raise InvalidConfiguration(
            f"{name} is a run, or data in one. Give the address of the catalog that has the runs."
        )
    served = {"name": "CatalogOfBlueskyRuns", "version": "1"}
    return _SERVED if served in specs else _WRITTEN


def _in_tables(server: Server) -> Callable[[Owner], Rows]:
    def rows(owner: Owner) -> Rows:
        from .rows import Events

        return Events(server, owner)

    return rows


def _in_documents(server: Server) -> Callable[[Owner], Rows]:
    from .served import ServedRuns

    return ServedRuns(server).events


_WRITTEN = Kind(
    filters_of=filters_of,
    only_runs=(
        ("filter[specs][condition][include]", '["BlueskyRun"]'),
        ("filter[specs][condition][exclude]", "[]"),
    ),
    newest=(("sort", "-start.time"),),
    by_arrival=(("sort", "-"),),
    ties_descend=True,
    events=_in_tables,
)
_SERVED = Kind(
    filters_of=adapter_filters_of,
    only_runs=(),  # it has nothing else
    newest=(("sort", "-time"),),
    by_arrival=(),  # always so
    ties_descend=False,
    events=_in_documents,
)
