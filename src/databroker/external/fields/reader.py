"""What a field is read by, what is known of its values, and how many are read at once."""

from __future__ import annotations

import math
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

if TYPE_CHECKING:
    from ..readers.base import Region

Array = np.ndarray[Any, Any]
Check = Callable[[tuple[int, ...], Any], None]
"""Is called with shape and dtype of a value, and raises if that cannot stand with others."""

T = TypeVar("T")

CHUNK_BYTES = 16 * 2**20
"""About how large a chunk of a dask array is."""

LARGEST = 4 * CHUNK_BYTES
"""The size up to which a value stays in one chunk."""

PAGE_BYTES = 4 * 2**20
"""About how much of one field is read at a time."""

_MOST_AHEAD = 512
_LARGE = PAGE_BYTES // 8  # values that are better read one by one than copied out of a page
_LOOKED_AT = 16


class Look(NamedTuple):
    """What the values of a field are like, as one of them was seen."""

    # Of one event's value.
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rows: int = 1  # how many events are stored together
    inner: tuple[int, ...] | None = None  # in which blocks a value is stored; None if in one
    # Whether what is stored together is kept when some of it is read: then events that are read one
    # by one cost no more than together.
    kept: bool = False

    @property
    def bytes(self) -> int:
        """The size of a value."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def page(self) -> int:
        """How many events a loop over all reads at a time."""
        return page_rows(self.bytes, 1 if self.kept else self.rows)


class FieldReader(ABC):
    """Reads a field of a stream by its events, whether these hold it or files do.

    What a `LazyArray` stands on, and all that is made of a field.
    """

    gaps = False
    """Whether some events have no value, and never will: those are NaN in an array."""

    far = False
    """Whether each question takes a while, so that more is to be asked for together."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many events there are."""

    @abstractmethod
    def look(self) -> Look | None:
        """Return what the values are like; None if none can be seen."""

    @abstractmethod
    def read(
        self, places: Array, shape: tuple[int, ...], inner: tuple[slice, ...], out: Array
    ) -> None:
        """Put the values of some events, and of each what `inner` selects, into an array.

        A value that has not the given shape is an error: a part of it would look right.
        """

    def count(self) -> int:
        """Return how many events have their value by now."""
        return self.rows

    def regions(self) -> Iterator[tuple[int, Region | None]]:
        """Yield how many events have their values where in an HDF5 file; None if in none."""
        yield self.rows, None

    def identity(self) -> Any:
        """Return what tells this reader from any other, for dask's names."""
        return uuid.uuid4().hex

    def pages(self, look: Look) -> Iterable[tuple[int, int]]:
        """Return which events a loop over all reads at a time: half-open ranges."""
        step = max(look.page, CHUNK_BYTES // max(look.bytes, 1) if self.far else 1)
        return ((first, min(first + step, self.rows)) for first in range(0, self.rows, step))

    def row_chunks(self, row_bytes: int, together: int) -> tuple[int, ...]:
        """Return sizes of chunks of events, of which so many are stored together."""
        return cut(self.rows, whole(CHUNK_BYTES // max(row_bytes, 1), together))

    def unbuffered(self) -> FieldReader:
        """Return a reader that keeps nothing of what it has read, for a graph of dask."""
        return self


def apart(values: Array) -> list[Any]:
    """Return values as copies, each of its own; text is text."""
    return [value.copy() if hasattr(value, "copy") else value for value in values]


def spread(items: Sequence[T]) -> list[T]:
    """Return some items, from the first to the last, that stand for all of them."""
    if len(items) <= _LOOKED_AT:
        return list(items)
    return [items[n * (len(items) - 1) // (_LOOKED_AT - 1)] for n in range(_LOOKED_AT)]


def common(looks: Sequence[Look]) -> Look | None:
    """Return what values are like that are like one of these; None if there are none.

    Numbers have the smallest type that holds them all. What else differs is as it is first.
    """
    if not looks:
        return None
    dtypes = {look.dtype for look in looks if look.shape == looks[0].shape}
    if len(dtypes) > 1 and all(dtype.kind in "biufc" for dtype in dtypes):
        return looks[0]._replace(dtype=np.result_type(*dtypes))
    return looks[0]


def with_nan(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that numbers have if some of them are NaN."""
    return np.dtype(np.float64) if dtype.kind in "biu" else dtype


def leave_out(out: Array) -> None:
    """Fill an array with what stands for values that are not there: NaN where it can."""
    if out.dtype == np.dtype(object):
        out[...] = None
    else:
        out[...] = np.nan if out.dtype.kind in "fc" else np.zeros((), out.dtype)


def whole(size: int, block: int) -> int:
    """Return about `size` in whole blocks, at least one."""
    return max(size // block, 1) * block


def cut(length: int, size: int) -> tuple[int, ...]:
    """Cut a length into pieces."""
    whole, rest = divmod(length, max(size, 1))
    return (size,) * whole + ((rest,) if rest else ()) or (0,)


def grown(block: tuple[int, ...], shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return whole stored blocks, of about `CHUNK_BYTES` together: fewer and larger chunks."""
    sizes = list(block)
    for axis in reversed(range(len(shape))):
        size = int(np.prod(sizes, dtype=object)) * itemsize
        times = max(1, CHUNK_BYTES // max(size, 1))
        sizes[axis] = min(shape[axis], sizes[axis] * times)
    return tuple(sizes)


def rows_ahead(row_bytes: int) -> int:
    """Return how many rows to load before they are asked for, each by itself."""
    return min(max(PAGE_BYTES // max(row_bytes, 1), 1), _MOST_AHEAD)


def page_rows(row_bytes: int, stored: int) -> int:
    """Return how many rows to read at a time in a loop."""
    few = 1 if row_bytes >= _LARGE else PAGE_BYTES // max(row_bytes, 1)
    rows = whole(few, stored)
    return rows if rows * row_bytes <= LARGEST else 1
