"""Which rows may be stored already: hashes of their identities, eight bytes a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..._util.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np

    Hashes = np.ndarray[Any, np.dtype[np.int64]]
else:
    np = lazy_module("numpy")


_RECENT = 65_536


class UidFilter:
    """A set of identities that may err by saying yes, never by saying no.

    Recent ones are in a set; the many older ones in a sorted array, which is
    a tenth of the size.
    """

    def __init__(self, identities: Iterable[str] = ()) -> None:
        self._old: Hashes = np.empty(0, np.int64)
        self._recent: set[int] = set()
        self.add(identities)

    def add(self, identities: Iterable[str]) -> None:
        """Take in more identities."""
        self.add_hashes(set(map(hash, identities)))

    def add_hashes(self, hashes: set[int]) -> None:
        """Take in more identities, given as their hashes."""
        self._recent |= hashes
        if len(self._recent) > _RECENT:
            fresh = np.fromiter(self._recent, np.int64, len(self._recent))
            fresh.sort()
            self._old = np.insert(self._old, self._old.searchsorted(fresh), fresh)
            self._recent = set()

    def might_contain(self, identity: str) -> bool:
        """Tell whether an identity may have been added."""
        wanted = hash(identity)
        if wanted in self._recent:
            return True
        old = self._old
        if not len(old):
            return False
        place = old.searchsorted(wanted)
        return bool(place < len(old) and old[place] == wanted)

    def might_contain_any(self, hashes: set[int]) -> bool:
        """Tell whether one of many identities, given as their hashes, may have been added."""
        if not self._recent.isdisjoint(hashes):
            return True
        old = self._old
        if not len(old):
            return False
        wanted = np.fromiter(hashes, np.int64, len(hashes))
        places = np.minimum(old.searchsorted(wanted), len(old) - 1)
        return bool((old[places] == wanted).any())
