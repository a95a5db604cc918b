"""The rows of a stream as they come, as small tables."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...documents.kinds import stream_name
from ...stores.rows import Extent, each_extent
from ..stream.fields import Fields, select
from ..stream.table import TableReader
from .run_follower import Doc, RunFollower

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ...columns import Selection
    from ...stores.contents import Outline
    from ..session import Session
    from .reads import Reads

_MOST_ROWS = 10_000
"""Rows of a descriptor in one table."""


class TableFollower(RunFollower["pd.DataFrame"]):
    """Yields the new rows of a stream, as a table each time.

    Obtained as ``header.streams['primary'].follow()``.
    """

    def __init__(
        self,
        session: Session,
        start: Mapping[str, Any],
        stream: str,
        fields: Fields,
        convert_times: bool,
        timezone: str | datetime.tzinfo | None,
        **options: Any,
    ) -> None:
        super().__init__(session, start, **options)
        self._stream = stream
        self._fields = fields if fields is None or isinstance(fields, str) else list(fields)
        self._convert_times = convert_times
        self._timezone = timezone
        self._descriptors: list[Doc] = []

    def _news(self, outline: Outline) -> Iterator[pd.DataFrame]:
        documents = self._linked(owner for owner in outline.rows if owner[0] == "event")
        self._descriptors += (doc for _, doc in documents if stream_name(doc) == self._stream)
        while new := self._new(outline):
            selection = select(self._fields, self._descriptors, self._start, {})
            rows = _SomeRows(self._reads, new)
            reader = TableReader(
                rows, self._descriptors, selection, self._convert_times, self._timezone
            )
            table = reader.table()
            self._progress.rows |= {("event", uid): stop for uid, (_, stop) in new.items()}
            yield table

    def _new(self, outline: Outline) -> dict[str, tuple[int, int]]:
        """Return which rows come next: of each descriptor the first, and the one after the last."""
        counts = {doc["uid"]: outline.rows["event", doc["uid"]] for doc in self._descriptors}
        firsts = {uid: self._progress.rows.get(("event", uid), 0) for uid in counts}
        return {
            uid: (first, min(counts[uid], first + _MOST_ROWS))
            for uid, first in firsts.items()
            if first < counts[uid]
        }


class _SomeRows:
    """Some of the rows of a store, as if there were no others."""

    def __init__(self, reads: Reads, rows: Mapping[str, tuple[int, int]]) -> None:
        self._reads = reads
        self._rows = rows

    def extents(self, kind: str, owner: str) -> list[Extent]:
        first, stop = self._rows.get(owner, (0, 0))
        found, before = [], 0
        for extent in self._reads.extents(kind, owner):
            low, high = max(first, before), min(stop, before + extent.rows)
            if low < high:
                found.append(replace(extent, rows=high - low, token=(owner, low)))
            before += extent.rows
        return found

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        owner, before = extent.token
        first, stop = rows or (0, extent.rows)
        return iter(self._reads.rows(kind, owner, selection, before + first, before + stop))

    def read_extents(
        self, kind: str, extents: Iterable[Extent], selection: Selection
    ) -> Iterator[list[pa.RecordBatch]]:
        return each_extent(self, kind, extents, selection)

    def close(self) -> None:
        """Do nothing: the store is somebody else's."""
