"""The values of a streamed field one at a time, of which a page is read at once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from .chunking import rows_ahead
from .filling import UNREADABLE

if TYPE_CHECKING:
    import numpy as np

    from .reader import Look
    from .streamed_field import StreamReader

    Array = np.ndarray[Any, Any]

__all__ = ["Paged"]

_MOST = 4096  # values of a page


class Paged:
    """Gives the values that references to stream resources stand for, in whatever order.

    Good for values that are asked for one after the other: those that are
    stored together are read together, and the page that was read last is kept.

    Parameters
    ----------
    reader
        Reads the field.
    """

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader
        self._parts: dict[str, tuple[int, int]] = {}
        self._looked: Look | None = None
        self._page: tuple[int, dict[int, Array]] = (-1, {})

    def value(self, reference: str) -> Array:
        """Return what '<stream resource>/<index>' stands for.

        Raises
        ------
        ExternalDataMissing, NoHandler
            It cannot be had.
        """
        uid, _, place = reference.rpartition("/")
        if uid not in self._parts:
            self._parts[uid] = self._reader.part(uid)
        part, end = self._parts[uid]
        index = int(place)
        if self._page[0] != part or index not in self._page[1]:
            self._page = (-1, {})  # not two pages at a time
            self._page = (part, self._read(part, index, end))
        return self._page[1].pop(index)  # whoever has it may change it

    def knows(self, reference: str) -> bool:
        """Tell whether a reference is to one of the field's stream resources."""
        return self._reader.knows(reference)

    def uncovered(self) -> Exception:
        """Return the error for an event of which nothing says where its value is."""
        return self._reader.uncovered()

    def _read(self, part: int, index: int, end: int) -> dict[int, Array]:
        """Return the page of a value; where some of it cannot be had, only that value."""
        look = self._looked = self._looked or self._reader.look()
        if look is not None:  # else nothing can be opened: reading says why
            rows = max(min(look.page, _MOST), rows_ahead(look.bytes))
            first = index // rows * rows
            stop = max(min(first + rows, end), index + 1)
            with contextlib.suppress(*UNREADABLE):
                return dict(enumerate(self._reader.values(part, first, stop), first))
        return {index: self._reader.values(part, index, index + 1)[0]}
