"""A cache of the few rows that come along with their extents, so that `read` need not ask."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..wire.batches import Rows

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ..rows import Extent

_REMEMBERED = 64


class RowCache:
    """Keeps the rows of the extents that were seen last. An extent has the same rows for ever."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, list[pa.RecordBatch]] = OrderedDict()

    def remember(self, kind: str, rows: Rows) -> None:
        """Keep the rows that came along."""
        for extent, batches in zip(rows.extents, rows.batches or (), strict=False):
            self._known[_key(kind, extent)] = batches
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def read(
        self, kind: str, extent: Extent, selection: Selection, rows: tuple[int, int] | None
    ) -> list[pa.RecordBatch] | None:
        """Return rows of an extent as `Store.read` yields them; None if they are not known."""
        batches = self._known.get(_key(kind, extent))
        if batches is None:
            return None
        first, stop = rows or (0, extent.rows)
        return list(_parts(batches, first, stop, selection))


def _key(kind: str, extent: Extent) -> str:
    return repr((kind, extent.rows, extent.token))


def _parts(
    batches: list[pa.RecordBatch], first: int, stop: int, selection: Selection
) -> Iterator[pa.RecordBatch]:
    """Yield what of some batches is wanted."""
    from ...columns import select

    before = 0
    for batch in batches:
        low, high = max(first - before, 0), min(stop - before, batch.num_rows)
        if low < high:
            yield select(batch.slice(low, high - low), None if selection.is_all else selection)
        before += batch.num_rows
