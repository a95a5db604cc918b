"""The values of a streamed field one at a time, of which a page is read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .filling import UNREADABLE

if TYPE_CHECKING:
    import numpy as np

    from .reading import Look
    from .streamed import StreamReader

    Array = np.ndarray[Any, Any]

__all__ = ["Paged"]


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
        self._page: tuple[int, int, Array] | None = None

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
        page = self._page
        if page is None or page[0] != part or not page[1] <= index < page[1] + len(page[2]):
            page = self._page = self._read(part, index, end)
        found: Array = page[2][index - page[1]]
        # A copy, so that keeping one value does not keep its page.
        return found if len(page[2]) == 1 else found.copy()

    def uncovered(self) -> Exception:
        """Return the error for an event of which nothing says where its value is."""
        return self._reader.uncovered()

    def _read(self, part: int, index: int, end: int) -> tuple[int, int, Array]:
        """Return the page of a value; where some of it cannot be had, only that value."""
        look = self._looked = self._looked or self._reader.look()
        if look is None:  # nothing can be opened: reading says why
            return part, index, self._reader.values(part, index, index + 1)
        rows = look.page
        first = index // rows * rows
        stop = max(min(first + rows, end), index + 1)
        try:
            return part, first, self._reader.values(part, first, stop)
        except UNREADABLE:
            if stop - first == 1:
                raise
        return part, index, self._reader.values(part, index, index + 1)
