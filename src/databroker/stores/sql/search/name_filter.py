"""Very many names in a few bits each: enough to tell that one is not among them.

A Bloom filter (B. H. Bloom, Comm. ACM 13, 1970, 422).
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import TYPE_CHECKING

from ...._util.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_module("numpy")


_BITS_A_NAME = 16
_LEAST, _MOST = 2**6, 2**24
# Odd numbers that spread the 32 bits of a checksum, each in another way.
_SPREAD = (2_654_435_761, 2_246_822_519, 3_266_489_917)


def name_filter(names: Collection[str]) -> bytes:
    """Return a filter that has these names."""
    size = _LEAST
    while size < min(_BITS_A_NAME * len(names), _MOST):
        size *= 2
    hashes = np.fromiter(map(_checksum, names), np.uint64, len(names))
    marked = np.zeros(size, bool)
    for factor in _SPREAD:
        marked[(hashes * factor & 0xFFFFFFFF) >> 8 & (size - 1)] = True
    return np.packbits(marked).tobytes()


def might_contain(held: bytes, name: str) -> bool:
    """Tell whether a filter may have a name: no is always true, yes nearly always."""
    number, size = _checksum(name), 8 * len(held)
    places = ((number * factor & 0xFFFFFFFF) >> 8 & (size - 1) for factor in _SPREAD)
    return all(held[place >> 3] & (128 >> (place & 7)) for place in places)


def _checksum(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "surrogatepass"))
