"""Which rows may be stored already: the last identities, and hashes of all others."""

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

    Recent ones are in a set; the many older ones in a sorted array of hashes, eight bytes each.
    """

    def __init__(self, identities: Iterable[str] = ()) -> None:
        self._old: Hashes = np.empty(0, np.int64)
        self._recent: set[str] = set()
        self.add(identities)

    def add(self, identities: Iterable[str]) -> None:
        """Take in more identities."""
        self._recent.update(identities)
        if len(self._recent) > _RECENT:
            fresh = _hashes(self._recent)
            fresh.sort()
            self._old = np.insert(self._old, self._old.searchsorted(fresh), fresh)
            self._recent = set()

    def might_contain(self, identity: str) -> bool:
        """Tell whether an identity may have been added."""
        if identity in self._recent:
            return True
        old = self._old
        if not len(old):
            return False
        wanted = hash(identity)
        place = old.searchsorted(wanted)
        return bool(place < len(old) and old[place] == wanted)

    def might_contain_any(self, identities: set[str]) -> bool:
        """Tell whether one of many identities may have been added."""
        if not self._recent.isdisjoint(identities):
            return True
        old = self._old
        if not len(old):
            return False
        wanted = _hashes(identities)
        places = np.minimum(old.searchsorted(wanted), len(old) - 1)
        return bool((old[places] == wanted).any())


def _hashes(identities: set[str]) -> Hashes:
    return np.fromiter(map(hash, identities), np.int64, len(identities))
