"""Runs in their order, page by page, of those that a query finds."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from ..._util.portable_text import original, portable
from ..._util.user_warnings import warn_user
from ...documents.identity import is_provisional
from ...errors import SlowSearchWarning
from ...query.evaluate import RunView, compile
from ..base import RunRecord, Store
from ..facts import run_fact
from .compile import Compiled, Filter, compile_node
from .database import Doc, in_questions
from .documents import unpack_document
from .layout import ODD, PLACES

if TYPE_CHECKING:
    from ...query.nodes import Node
    from .databases import Databases

_FIRST, _LARGEST = 50, 1600
"""Runs in a page: more from page to page, as few are wanted mostly."""

NEWEST_FIRST = (("time", -1), ("_id", -1))
_SLOW = 5000
"""Runs that are looked at before it is said that this is slow."""

_MANY_ODD = _MANY_NAMED = 1000  # from which on it is sooner looked at all runs

_START, _STOP, _DESCRIPTOR = (PLACES[kind] for kind in ("start", "stop", "descriptor"))


class Search:
    """Finds the runs of a store."""

    def __init__(self, store: Store, databases: Databases) -> None:
        self._store = store
        self._databases = databases
        self._has_told = False

    def find(self, query: Node, limit: int | None, after: Any) -> Iterator[RunRecord]:
        """Yield the runs that match; see `Store.find`."""
        return islice(self._matching(query, after, limit), limit)

    def count(self, query: Node) -> int:
        """Return how many runs match."""
        compiled = self._compile(query)
        if compiled.is_exact:
            return self._databases.of(_START).count(_START.collection, compiled.filter or {})
        return sum(1 for _ in self._matching(query, None, None))

    def record(self, uid: str) -> RunRecord | None:
        """Return the run of a uid."""
        starts = self._starts({"uid": portable(uid)}, 1)
        return next(self._records(starts), None)

    def records(self, uids: Sequence[str]) -> dict[str, RunRecord]:
        """Return some runs by their uids."""
        found: dict[str, RunRecord] = {}
        for some in in_questions(uids):
            query = {"uid": {"$in": list(map(portable, some))}}
            starts = self._databases.of(_START).find(_START.collection, query)
            newest_last = sorted(starts, key=itemgetter("time", "_id"))
            found |= {record.uid: record for record in self._records(newest_last)}
        return found

    def uids(self, prefix: Filter, limit: int) -> list[str]:
        """Return the uids that a filter finds, sorted, each once."""
        database = self._databases.of(_START)
        found = database.find(
            _START.collection, prefix, fields={"_id": 0, "uid": 1}, order=[("uid", 1)]
        )
        distinct = dict.fromkeys(original(each["uid"]) for each in found)
        return list(islice(distinct, limit))

    def _compile(self, query: Node) -> Compiled:
        compiled = compile_node(query, [])
        if compiled.is_exact:
            return compiled
        odd = self._databases.of(ODD).find(ODD.collection, {}, fields={"uid": 1}, limit=_MANY_ODD)
        uids = [each["uid"] for each in odd]
        return compile_node(query, uids if len(uids) < _MANY_ODD else None, self._runs_of)

    def _runs_of(self, kind: str, query: Filter) -> list[str] | None:
        """Return the runs with a document that passes a filter; None if they are very many."""
        place = PLACES[kind]
        found = self._databases.of(place).find(
            place.collection, query, fields={"_id": 0, "run_start": 1}, limit=_MANY_NAMED
        )
        uids = [each["run_start"] for each in found]
        return list(dict.fromkeys(uids)) if len(uids) < _MANY_NAMED else None

    def _matching(self, query: Node, after: Any, limit: int | None) -> Iterator[RunRecord]:
        compiled, matches = self._compile(query), compile(query)
        newest = self._databases.of(_START).first(
            _START.collection, {}, fields={"_id": 1}, order=[("_id", -1)]
        )
        if newest is None:
            return
        bound: Filter = {"_id": {"$lte": newest["_id"]}}
        cursor, size, looked_at = after, min(limit or _FIRST, _FIRST), 0
        while True:
            parts = [bound, *([compiled.filter] if compiled.filter else [])]
            parts += [_behind(cursor)] if cursor is not None else []
            page = self._starts({"$and": parts}, size)
            keys = self._data_keys([start["uid"] for start in page])
            for record in self._records(page):
                if matches(self._view(record, keys)):
                    yield record
            looked_at += len(page)
            if len(page) < size:
                return
            if looked_at > _SLOW and not compiled.is_exact:
                self._tell_once(query)
            cursor, size = _cursor(page[-1]), min(2 * size, _LARGEST)

    def _tell_once(self, query: Node) -> None:
        if not self._has_told:
            self._has_told = True
            warn_user(
                f"{self._store} is asked for {query!r:.200}, which it cannot look up: the metadata "
                f"of more than {_SLOW:,} runs are read, which is slow. Narrow the search, by "
                "`since` or by a key that has a value. This is said once.",
                SlowSearchWarning,
            )

    def _starts(self, query: Filter, size: int) -> list[Doc]:
        database = self._databases.of(_START)
        return list(database.find(_START.collection, query, order=NEWEST_FIRST, limit=size))

    def _records(self, starts: Sequence[Doc]) -> Iterator[RunRecord]:
        stops = self.stops([start["uid"] for start in starts])
        for start in starts:
            document = unpack_document(start)
            stop = stops.get(start["uid"])
            yield RunRecord(document["uid"], document, stop, _cursor(start))

    def stops(self, uids: Collection[str]) -> dict[str, Doc]:
        """Return the stop documents of runs, whose uids are as they are stored."""
        if not uids:
            return {}
        query = {"run_start": {"$in": list(uids)}}
        stops: dict[str, Doc] = {}
        for stored in self._databases.of(_STOP).find(_STOP.collection, query):
            known = stops.get(stored["run_start"])
            if known is None or is_provisional(known):
                stops[stored["run_start"]] = unpack_document(stored)
        return stops

    def _data_keys(self, uids: Sequence[str]) -> Any:
        """Return a function that gives the data keys of runs, which are fetched if it is called."""

        @functools.cache
        def fetched() -> dict[str, set[str]]:
            keys: dict[str, set[str]] = {}
            found = self._databases.of(_DESCRIPTOR).find(
                _DESCRIPTOR.collection,
                {"run_start": {"$in": list(uids)}},
                fields={"_id": 0, "run_start": 1, "data_keys": 1},
            )
            for each in map(unpack_document, found):
                keys.setdefault(each["run_start"], set()).update(each.get("data_keys", {}))
            return keys

        return lambda uid: fetched().get(uid, set())

    def _view(self, record: RunRecord, keys: Any) -> RunView:
        uid, stop = record.uid, record.stop
        fact = functools.partial(run_fact, self._store, uid, stop)
        return RunView(record.start, stop, lambda: keys(uid), fact)


def _cursor(start: Doc) -> list[Any]:
    return [start["time"], str(start["_id"])]


def _behind(cursor: Sequence[Any]) -> Filter:
    time, last = cursor
    older = {"time": time, "_id": {"$lt": ObjectId(last)}}
    return {"$or": [{"time": {"$lt": time}}, older]}
