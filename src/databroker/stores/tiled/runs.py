"""The runs of a catalog, newest first, a page at a time.

A server sorts by the time of the start document. SQLite has it sort that as text, which is right
for times of ten digits, from 2001 to 2286. So runs of these times come sorted from the server; all
others, which are few, come after them, and are sorted here. A page begins where the one before it
ended: at a time, not at a number, so that runs which arrive meanwhile shift nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from ..base import RunRecord
from .filters import Params, comparison, equal
from .kinds import Catalog
from .server import Json

_TIME = "start.time"
_SORTED = (1e9, 1e10)  # seconds since the epoch: what text and numbers order alike
_MARGIN = 1e-4  # seconds: within these, a server may order runs by their arrival
_PAGE = 100
_FIELDS = (("fields", "metadata"), ("fields", "specs"), ("omit_links", "true"))


class Run(NamedTuple):
    """A run as the server has it."""

    key: str  # of its entry
    metadata: dict[str, Any]

    @property
    def time(self) -> float:
        """The time of its start document."""
        time = self.metadata["start"].get("time")
        return float(time) if isinstance(time, int | float) else float("-inf")

    @property
    def record(self) -> RunRecord:
        """The run as searches give it."""
        start = self.metadata["start"]
        uid = str(start.get("uid", self.key))
        return RunRecord(uid, start, self.metadata.get("stop"), [self.time, uid])


def newest_first(
    catalog: Catalog, filters: Params, after: Any = None, limit: int | None = None
) -> Iterator[Run]:
    """Yield the runs that pass some filters, after a cursor of one of them."""
    low, high = _SORTED
    size = _PAGE if limit is None else min(limit + 1, _PAGE)
    parts: list[Callable[[], Iterator[Run]]] = [
        lambda: _sorted_there(catalog, filters, after, size),
        lambda: _sorted_here(catalog, filters + comparison("lt", _TIME, low)),
        lambda: _sorted_here(catalog, filters + comparison("ge", _TIME, high)),
    ]
    if after is None:
        for part in parts:
            yield from part()
        return
    number = 0 if low <= after[0] < high else 1 if after[0] < low else 2
    yield from _after(parts[number](), *after)
    for part in parts[number + 1 :]:
        yield from part()


def one(catalog: Catalog, uid: str) -> Run | None:
    """Return the run of a uid: its entry is called so, if the writer is Tiled's own."""
    entry = catalog.server.entry(uid)
    run = None if entry is None else _run(entry)
    if run is not None and run.record.uid == uid:
        return run
    if not uid.isprintable():  # which servers are not asked for
        return None
    return next(iter(_page(catalog, equal("start.uid", uid), (), 0, 1)), None)


def count(catalog: Catalog, filters: Params) -> int:
    """Return how many runs pass some filters, which the server counts."""
    asked = (*catalog.kind.only_runs, *filters, ("fields", "count"), ("page[limit]", "0"))
    answer = catalog.server.search(params=asked)
    return int((answer or {})["meta"]["count"])


def _sorted_there(catalog: Catalog, filters: Params, after: Any, size: int) -> Iterator[Run]:
    low, high = _SORTED
    bounds = comparison("ge", _TIME, low)
    is_first = after is None or not low <= after[0] < high
    upper = high if is_first else min(after[0] + _MARGIN, high)
    below = "lt" if upper == high else "le"
    given: dict[str, float] = {}  # runs that a page may have again, and their times
    held: list[Run] = []  # those that a later page may have to be put between
    while True:
        asked = filters + bounds + comparison(below, _TIME, upper)
        page = _page(catalog, asked, catalog.kind.newest, len(given), size)
        fresh = [run for run in page if run.key not in given]
        held += fresh
        if len(page) < size:
            yield from _in_order(catalog, held)
            return
        given |= {run.key: run.time for run in fresh}
        upper, below = min(given.values()) + _MARGIN, "le"
        yield from _in_order(catalog, [run for run in held if run.time > upper])
        held = [run for run in held if run.time <= upper]
        given = {key: time for key, time in given.items() if time <= upper}
        size = _PAGE


def _sorted_here(catalog: Catalog, filters: Params) -> Iterator[Run]:
    found: list[Run] = []
    while page := _page(catalog, filters, (), len(found), _PAGE):
        found += page
        if len(page) < _PAGE:
            break
    yield from _in_order(catalog, found)


def _in_order(catalog: Catalog, runs: list[Run]) -> list[Run]:
    """Return runs newest first, of equal times the one that arrived last."""
    arrived = runs if catalog.kind.ties_descend else runs[::-1]
    return sorted(arrived, key=lambda run: -run.time)


def _page(catalog: Catalog, filters: Params, sort: Params, first: int, size: int) -> list[Run]:
    """Return some runs, sorted by what is given and then by arrival, as the kind has that."""
    kind = catalog.kind
    window = [("page[offset]", str(first)), ("page[limit]", str(size))]
    params = [*kind.only_runs, *filters, *_FIELDS, *sort, *kind.by_arrival, *window]
    answer = catalog.server.search(params=params)
    return [run for item in (answer or {})["data"] if (run := _run(item)) is not None]


def _run(item: Json) -> Run | None:
    metadata = item["attributes"].get("metadata") or {}
    return Run(str(item["id"]), metadata) if isinstance(metadata.get("start"), dict) else None


def _after(runs: Iterator[Run], time: float, uid: str) -> Iterator[Run]:
    """Yield those of sorted runs that come after the one of a time and a uid."""
    passed = False
    for run in runs:
        if run.time < time or (passed and run.time == time):
            yield run
        passed = passed or run.record.uid == uid


def limited(records: Iterator[RunRecord], limit: int | None) -> Iterator[RunRecord]:
    """Yield so many runs at most."""
    return records if limit is None else islice(records, limit)
