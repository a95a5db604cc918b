"""Noticing which files are not as they were."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable

from .findings import is_given_up
from .places import Places, Stamp, stamp_at

_AT_LEAST = 1.0
"""Seconds between two looks at all files."""

_SHARE = 30
"""So many times as long as such a look took."""

_MOST = 16
"""Files that are looked at each time: those that changed last."""

_QUIET = 60.0
"""Seconds after which a file that did not change is only looked at with all the others."""


class Watch:
    """Looks at files: at the folders and at the files that changed last each time.

    At all files it looks once a second, or more rarely where that takes long.

    Attributes
    ----------
    known
        How files were when they were read.
    awaited
        Those of them that ended in the middle of a document. Once that is not awaited any more,
        they count as changed.
    """

    def __init__(self, places: Places) -> None:
        self.known: dict[str, Stamp] = {}
        self.awaited: set[str] = set()
        self._places = places
        self._recent: dict[str, None] = {}  # the one that changed last comes last
        self._next_look = 0.0

    def look(self) -> tuple[dict[str, Stamp], set[str]]:
        """Return the files that are not as is known, as they are, and those that are no more."""
        begun = time.monotonic()
        if begun < self._next_look:
            return self._look_at_some()
        found = self._places.look()
        ended = time.monotonic()
        self._next_look = ended + max(_AT_LEAST, _SHARE * (ended - begun))
        self._choose(found)
        overdue = {path: found[path] for path in self.awaited & found.keys()}
        overdue = {path: stamp for path, stamp in overdue.items() if is_given_up(stamp)}
        return self._changed(found) | overdue, self.known.keys() - found.keys()

    def note(self, path: str, stamp: Stamp, *, is_awaited: bool) -> None:
        """Note how a file was when it was read, and look at it each time from now on."""
        self.known[path] = stamp
        self.awaited.discard(path)
        if is_awaited:
            self.awaited.add(path)
        self._recent.pop(path, None)
        self._recent[path] = None
        if len(self._recent) > _MOST:
            del self._recent[next(iter(self._recent))]

    def forget(self, paths: Iterable[str]) -> None:
        """Take nothing of some files as known."""
        for path in paths:
            self.known.pop(path, None)

    def _choose(self, found: dict[str, Stamp]) -> None:
        since = (time.time() - _QUIET) * 1e9
        recent = [path for path, stamp in found.items() if stamp.mtime_ns > since]
        last = heapq.nlargest(_MOST, recent, key=lambda path: found[path].mtime_ns)
        self._recent = dict.fromkeys(reversed(last))

    def _look_at_some(self) -> tuple[dict[str, Stamp], set[str]]:
        found = stamps_at(self._recent)
        gone = (self._recent.keys() - found.keys()) & self.known.keys()
        if self._places.may_have_others():
            names = self._places.names()
            found |= stamps_at(names - self.known.keys())
            gone |= self.known.keys() - names
        return self._changed(found), gone

    def _changed(self, found: dict[str, Stamp]) -> dict[str, Stamp]:
        known = self.known.get
        return {path: stamp for path, stamp in found.items() if known(path) != stamp}


def stamps_at(paths: Iterable[str]) -> dict[str, Stamp]:
    """Return how those of some files are that are there."""
    stamps = ((path, stamp_at(path)) for path in paths)
    return {path: stamp for path, stamp in stamps if stamp is not None}
