"""Sizes of chunks that follow the blocks in which data are stored."""

from __future__ import annotations

import numpy as np

__all__ = [
    "CHUNK_BYTES",
    "LARGEST",
    "PAGE_BYTES",
    "cut",
    "grown",
    "page_rows",
    "rows_ahead",
    "whole",
]

CHUNK_BYTES = 16 * 2**20
"""About how large a chunk of a dask array is."""

LARGEST = 4 * CHUNK_BYTES
"""The size up to which a value stays in one chunk."""

PAGE_BYTES = 4 * 2**20
"""About how much of one field is read at a time."""

_MOST_AHEAD = 512
_LARGE = PAGE_BYTES // 8  # values that are better read one by one than copied out of a page


def whole(size: int, block: int) -> int:
    """Return about `size` in whole blocks, at least one."""
    return max(size // block, 1) * block


def cut(length: int, size: int) -> tuple[int, ...]:
    """Cut a length into pieces."""
    whole, rest = divmod(length, max(size, 1))
    return (size,) * whole + ((rest,) if rest else ()) or (0,)


def grown(block: tuple[int, ...], shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return whole stored blocks, of about `CHUNK_BYTES` together: fewer and larger chunks.

    Examples
    --------
    >>> grown((1, 64, 64), (1, 4096, 8192), 2)
    (1, 1024, 8192)
    """
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
    """Return how many rows to read at a time in a loop.

    Examples
    --------
    >>> page_rows(8, 1), page_rows(2**20, 1), page_rows(2**20, 16), page_rows(2**30, 16)
    (524288, 1, 16, 1)
    """
    few = 1 if row_bytes >= _LARGE else PAGE_BYTES // max(row_bytes, 1)
    rows = whole(few, stored)
    return rows if rows * row_bytes <= LARGEST else 1
