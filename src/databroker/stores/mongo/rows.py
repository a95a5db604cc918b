"""Events, datums and stream datums as batches: where they are, and only the wanted columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from ..._util.portable_text import portable
from ...documents.kinds import IDENTITY, NESTED, OWNER
from ..rows import Extent, rows_are_gone
from ..sizes import bytes_of
from .database import BATCH, in_questions
from .documents import Doc, unpack_row
from .layout import PLACES

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from .databases import Databases

_BY_ARRIVAL = (("_id", 1),)
_NAME = re.compile(r"[^$.\0][^.\0]*")


class Rows:
    """Reads the rows of owners."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def extents(self, kind: str, owners: Sequence[str]) -> dict[str, Extent]:
        """Return where the rows are of those owners that have any.

        One extent each: from the first id to the last one, which no later row is before.
        """
        place = PLACES[kind]
        parts: dict[str, list[Doc]] = {owner: [] for owner in owners}
        for some in in_questions(owners):
            names = _names(kind, some)
            match = {"$match": {OWNER[kind]: {"$in": list(names)}}}
            group = {"$group": {"_id": f"${OWNER[kind]}", **_SUMS}}
            for sums in self._databases.of(place).aggregate(place.collection, [match, group]):
                parts[names[sums["_id"]]].append(sums)
        return {owner: _extent(owner, found) for owner, found in parts.items() if found}

    def of_several(
        self, kind: str, extents: Mapping[str, Extent], selection: Selection, most: int
    ) -> dict[str, list[Doc]]:
        """Return the rows of several owners, in order of arrival, with at least the wanted columns.

        An owner is left out if its rows are not at hand after so many bytes of them all, or are
        not those of its extent.
        """
        rows: dict[str, list[tuple[str, Doc]]] = {owner: [] for owner in extents}
        for owner, _id, row in self._in_any_order(kind, extents, selection):
            rows[owner].append((_id, row))
            most -= bytes_of(row)
            if most < 0:
                break
        return {
            owner: [row for _, row in sorted(found, key=itemgetter(0))]
            for owner, found in rows.items()
            if len(found) == extents[owner].rows
        }

    def _in_any_order(
        self, kind: str, extents: Mapping[str, Extent], selection: Selection
    ) -> Iterator[tuple[str, str, Doc]]:
        """Yield rows, each after its owner and its id: few are sorted sooner here."""
        place, key, fields = PLACES[kind], OWNER[kind], fields_of(kind, selection)
        more = None if selection.others else {**fields, "_id": 1, key: 1}
        for some in in_questions(list(extents)):
            names = _names(kind, some)
            last = ObjectId(max(extents[owner].token[2] for owner in some))
            query = {key: {"$in": list(names)}, "_id": {"$lte": last}}
            for stored in self._databases.of(place).find(place.collection, query, fields=more):
                owner, _id = names[stored[key]], str(stored["_id"])
                if extents[owner].token[1] <= _id <= extents[owner].token[2]:
                    if more is not None:
                        del stored[key]
                    yield owner, _id, unpack_row(kind, stored)

    def read(
        self, kind: str, extent: Extent, selection: Selection, rows: tuple[int, int] | None
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows as batches; see `Store.read`."""
        from ...columns import from_rows

        first, stop = rows or (0, extent.rows)
        size = min(stop, extent.rows) - first
        if size <= 0:
            return
        place, (owner, lowest, highest) = PLACES[kind], extent.token
        ids = {"$gte": ObjectId(lowest), "$lte": ObjectId(highest)}
        stored = self._databases.of(place).find(
            place.collection,
            {**_of_owner(kind, owner), "_id": ids},
            fields=fields_of(kind, selection),
            order=_BY_ARRIVAL,
            skip=first,
            limit=size,
        )
        while some := [unpack_row(kind, each) for each in islice(stored, BATCH)]:
            size -= len(some)
            yield from_rows(kind, some, selection)
        if size:
            raise rows_are_gone(kind, owner, "the database")

    def newest_time(self, owner: str) -> Any:
        """Return the greatest time of the events of a descriptor, None if it has none."""
        place, query = PLACES["event"], {"descriptor": portable(owner)}
        newest = self._databases.of(place).first(
            place.collection, query, fields={"_id": 0, "time": 1}, order=[("time", -1)]
        )
        return None if newest is None else unpack_row("event", newest)["time"]


def _names(kind: str, owners: Sequence[str]) -> dict[Any, str]:
    """Return by what rows refer to each owner; those of old resources do so by the server's ids."""
    names: dict[Any, str] = {portable(owner): owner for owner in owners}
    if kind == "datum":
        names |= {ObjectId(owner): owner for owner in owners if ObjectId.is_valid(owner)}
    return names


def _of_owner(kind: str, owner: str) -> Doc:
    """Return a filter of the rows of one owner."""
    first, *others = _names(kind, [owner])
    return {OWNER[kind]: {"$in": [first, *others]} if others else first}


def _extent(owner: str, parts: Sequence[Doc]) -> Extent:
    """Return an extent of the sums of rows, which refer to their owner in one way or in two."""
    lowest = min(int(part["lowest"] or 0) for part in parts)
    highest = max(int(part["highest"] or 0) for part in parts)
    first, last = min(part["first"] for part in parts), max(part["last"] for part in parts)
    return Extent(
        sum(part["rows"] for part in parts), lowest, highest, [owner, str(first), str(last)]
    )


_SUMS = {
    "rows": {"$sum": 1},
    "lowest": {"$min": "$seq_num"},
    "highest": {"$max": "$seq_num"},
    "first": {"$min": "$_id"},
    "last": {"$max": "$_id"},
}


def fields_of(kind: str, selection: Selection) -> dict[str, int]:
    """Return which fields the server is to send, so that these columns can be read.

    Examples
    --------
    >>> from databroker.columns import Selection
    >>> fields_of("event", Selection(data=frozenset({"det"})))
    {'_id': 0, 'seq_num': 1, 'time': 1, 'data.det': 1}
    """
    if selection.others:
        return {"_id": 0}
    if kind != "event":
        return {"_id": 0, IDENTITY[kind]: 1}
    fields = {"_id": 0, "seq_num": 1, "time": 1}
    for section in NESTED[kind][:2]:
        names = getattr(selection, section)
        if names is None or not all(map(_NAME.fullmatch, names)):
            fields[section] = 1
        else:
            fields |= {f"{section}.{portable(name)}": 1 for name in sorted(names)}
    return fields
