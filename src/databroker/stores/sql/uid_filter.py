"""Which rows may be stored already: hashes of their identities, eight bytes a row."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..._util.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np

    Hashes = np.ndarray[Any, np.dtype[np.int64]]
else:
    np = lazy_module("numpy")

_GROWTH = 4
_MASK = 2**20 - 1


class UidFilter:
    """A set of identities that may err by saying yes, never by saying no.

    Their hashes are in sorted arrays, each of which is several times as large as the next one:
    so there are few of them, and each hash is moved a few times only. Most others are told by a
    mark that is missing, without a search.
    """

    def __init__(self) -> None:
        self._parts: list[Hashes] = []
        self._marks = np.zeros(_MASK + 1, np.bool_)

    def add(self, hashes: Hashes) -> None:
        """Take in more identities, given as their hashes in order."""
        self._marks[hashes & _MASK] = True
        while self._parts and len(self._parts[-1]) < _GROWTH * len(hashes):
            hashes = np.concatenate([self._parts.pop(), hashes])
            hashes.sort(kind="stable")  # which is to merge what is in order
        self._parts.append(hashes)

    def might_contain(self, identity: str) -> bool:
        """Tell whether an identity may have been added."""
        wanted = hash(identity)
        return bool(self._marks[wanted & _MASK]) and self._has_any(np.array([wanted]))

    def might_contain_any(self, hashes: Hashes) -> bool:
        """Tell whether one of many identities, given as their hashes, may have been added."""
        return self._has_any(hashes[self._marks[hashes & _MASK]])

    def _has_any(self, hashes: Hashes) -> bool:
        for part in self._parts:
            places = np.minimum(part.searchsorted(hashes), len(part) - 1)
            if (part[places] == hashes).any():
                return True
        return False


def hashes_of(identities: Collection[str]) -> Hashes:
    """Return the hashes of identities, in order."""
    hashes = np.fromiter(map(hash, identities), np.int64, len(identities))
    hashes.sort()
    return hashes
