"""Which rows may be stored already: hashes of their identities, eight bytes a row."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..._util.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np

    from ...documents import typed_list

    Hashes = np.ndarray[Any, np.dtype[np.int64]]
else:
    np = lazy_module("numpy")
    typed_list = lazy_module("databroker.documents.typed_list")

_GROWTH = 4
_MASK = 2**20 - 1
_POSITIVE = 2**63 - 1
_FACTOR = 31  # so that halves which are the same do not make the same sums
_UUID = 36  # characters


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
        wanted = _hash_of(identity)
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
    packed = typed_list.typed(identities).uuids
    if packed is None:
        hashes = np.fromiter(map(_hash_of, identities), np.int64, len(identities))
    else:
        high, low = packed.view(">i8").T
        hashes = (high * _FACTOR + low) & _POSITIVE
    hashes.sort()
    return hashes


def _hash_of(identity: str) -> int:
    """Return the hash of an identity: of a uuid, a sum of its halves."""
    if len(identity) == _UUID:
        with contextlib.suppress(ValueError):
            number = int(identity.replace("-", ""), 16)
            return ((number >> 64) * _FACTOR + number) & _POSITIVE
    return hash(identity)
