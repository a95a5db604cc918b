"""What an external array reads from: anything that knows its events and can read some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["Look", "Reader"]


class Look(NamedTuple):
    """What the values of a field are like, as one of them was seen.

    Attributes
    ----------
    shape, dtype
        Of one event's value.
    rows
        How many events are stored together.
    inner
        In which blocks a value is stored; None if in one.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rows: int = 1
    inner: tuple[int, ...] | None = None


class Reader(Protocol):
    """Reads the values of a field by events."""

    @property
    def rows(self) -> int:
        """How many events there are."""
        ...

    def look(self) -> Look | None:
        """Return what the values are like; None if none can be seen."""
        ...

    def count(self) -> int:
        """Return how many events have their value in a file by now."""
        ...

    def read(
        self, places: Array, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        """Put the values of some events, and of each what `inner` selects, into an array.

        A value that has not the given shape is an error: a part of it would look right.
        """
        ...
