"""Events, datums and stream datums as batches: where they are, and only the wanted columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from ..._util.portable_text import portable
from ...documents.kinds import IDENTITY, NESTED, OWNER
from ..rows import Extent
from .database import BATCH
from .documents import unpack_row
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

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return one extent: from the first id to the last one, which no later row is before."""
        place = PLACES[kind]
        found = self._databases.of(place).aggregate(
            place.collection,
            [{"$match": _of_owner(kind, owner)}, {"$group": {"_id": None, **_SUMS}}],
        )
        if not found:
            return []
        (sums,) = found
        lowest, highest = (int(sums[name] or 0) for name in ("lowest", "highest"))
        token = [owner, str(sums["first"]), str(sums["last"])]
        return [Extent(sums["rows"], lowest, highest, token)]

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
            yield from_rows(kind, some, selection)

    def newest_time(self, owner: str) -> Any:
        """Return the greatest time of the events of a descriptor, None if it has none."""
        place, query = PLACES["event"], {"descriptor": portable(owner)}
        newest = self._databases.of(place).first(
            place.collection, query, fields={"_id": 0, "time": 1}, order=[("time", -1)]
        )
        return None if newest is None else unpack_row("event", newest)["time"]


def _of_owner(kind: str, owner: str) -> dict[str, Any]:
    """Return a filter of rows; the datums of old resources refer to these by the server's ids."""
    if kind == "datum" and ObjectId.is_valid(owner):
        return {"resource": {"$in": [owner, ObjectId(owner)]}}
    return {OWNER[kind]: portable(owner)}


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
