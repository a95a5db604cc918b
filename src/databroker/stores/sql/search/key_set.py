"""Sets of runs in memory: sorted arrays of keys, and everything but them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...._util.lazy import lazy_module

if TYPE_CHECKING:
    import numpy as np

    Keys = np.ndarray[Any, np.dtype[np.int64]]
else:
    np = lazy_module("numpy")


_MOST = 4_000_000  # keys that are held before doubles are dropped


@dataclass(frozen=True, slots=True)
class KeySet:
    """Some runs, or all but some."""

    keys: Keys  # sorted, each once
    complement: bool = False  # whether these are the runs that do *not* belong to the set

    def __invert__(self) -> KeySet:
        return KeySet(self.keys, not self.complement)

    def __and__(self, other: KeySet) -> KeySet:
        if self.complement and other.complement:
            return KeySet(in_order(np.concatenate([self.keys, other.keys])), True)
        if self.complement:
            return other & self
        is_common = _found(self.keys, other.keys)
        return KeySet(self.keys[~is_common if other.complement else is_common])

    def __or__(self, other: KeySet) -> KeySet:
        return ~(~self & ~other)


def no_runs() -> KeySet:
    """Return the set of no runs."""
    return KeySet(np.empty(0, np.int64))


def union(sets: Iterable[KeySet]) -> KeySet:
    """Return the runs in any of many sets."""
    whole, plain = no_runs(), [no_runs().keys]
    for each in sets:
        if each.complement:
            whole |= each
            continue
        plain.append(each.keys)
        if sum(map(len, plain)) > _MOST:
            plain = [in_order(np.concatenate(plain))]
    return whole | KeySet(in_order(np.concatenate(plain)))


def in_order(keys: Keys) -> Keys:
    """Return keys sorted, each once (`numpy.unique` takes ten times as long)."""
    if bool((keys[1:] > keys[:-1]).all()):
        return keys
    keys = np.sort(keys)
    once: Keys = keys[np.concatenate([[True], keys[1:] > keys[:-1]])]
    return once


def _found(wanted: Keys, there: Keys) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if not len(there):
        return np.zeros(len(wanted), np.bool_)
    places = there.searchsorted(wanted)
    places[places == len(there)] = 0
    found: np.ndarray[Any, np.dtype[np.bool_]] = there[places] == wanted
    return found
