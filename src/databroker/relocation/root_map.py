"""The fewest entries of a root map that lead some paths to where they should lead."""

from __future__ import annotations

import heapq
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..external.locate import Place, path_parts

__all__ = ["Target", "propose"]

Parts = tuple[str, ...]

Entry = tuple[Parts, str]
"""The parts of the old path, and the new path."""

Rank = tuple[int, int, bool, int, int, Parts, str]
"""What is better about one entry than about another, the smaller the better; then the entry."""


@dataclass(frozen=True)
class Target:
    """A recorded path, and where it should lead.

    Attributes
    ----------
    place
        Where it leads now.
    target
        Where it should lead; None if that is not known.
    ambiguous
        Whether that is because there are several places.
    """

    place: Place
    target: str | None
    ambiguous: bool = False

    @property
    def stays(self) -> bool:
        """Whether it leads where it should."""
        return self.target == self.place.path


def propose(aims: Sequence[Target], root_map: Mapping[str, str]) -> dict[str, str]:
    """Return the entries to be added to a root map, or to take the place of others.

    As few as can be found by taking, again and again, the one that serves most
    paths; of equal ones, that which speaks of the fewest paths of which nothing
    is known, and then the most general. No path that leads where it should is
    led elsewhere.

    Parameters
    ----------
    aims
        The paths.
    root_map
        The entries that there are.

    Examples
    --------
    >>> aims = [
    ...     Target(Place("/data/a/1.h5", "/data/a/1.h5"), "/new/a/1.h5"),
    ...     Target(Place("/data/b/2.h5", "/data/b/2.h5"), "/new/b/2.h5"),
    ... ]
    >>> propose(aims, {})
    {'/data': '/new'}
    >>> stays = Place("/data/c/3.h5", "/data/c/3.h5")
    >>> propose([*aims, Target(stays, "/data/c/3.h5")], {})
    {'/data/a': '/new/a', '/data/b': '/new/b'}
    """
    return _Search(aims, root_map).entries()


class _Search:
    def __init__(self, aims: Sequence[Target], root_map: Mapping[str, str]) -> None:
        self._paths = [_Path(aim) for aim in aims]
        self._old = root_map
        self._below: dict[Parts, list[_Path]] = defaultdict(list)
        self._served: dict[Entry, list[_Path]] = defaultdict(list)
        for path in self._paths:
            for length in range(path.least, len(path.parts) + 1):
                self._below[path.parts[:length]].append(path)
            for entry in path.entries():
                self._served[entry].append(path)
        self._unknown = {old: _unknown(paths) for old, paths in self._below.items()}

    def entries(self) -> dict[str, str]:
        queue = [self._ranked(entry) for entry in self._served]
        heapq.heapify(queue)
        chosen: dict[str, str] = {}
        while queue:
            rank = heapq.heappop(queue)
            entry = rank[-2:]
            now = self._ranked(entry)
            if now[0] == 0:
                continue
            if now > rank:  # others have been served meanwhile
                heapq.heappush(queue, now)
            elif not any(path.is_misled_by(entry) for path in self._below[entry[0]]):
                key = self._key(entry, self._served[entry][0])
                chosen[key] = entry[1]
                for path in self._below[entry[0]]:
                    path.follow(entry)
        return chosen

    def _ranked(self, entry: Entry) -> Rank:
        paths = self._served[entry]
        served = sum(path.waits and path.heeds(entry[0]) for path in paths)
        ambiguous, lost = self._unknown[entry[0]]
        # An entry is made for a folder; for a single file, only where there is no other way.
        is_single = len(entry[0]) == len(paths[0].parts)
        return -served, ambiguous, is_single, lost, len(entry[0]), *entry

    def _key(self, entry: Entry, path: _Path) -> str:
        """Return how an entry is written: as one that it takes the place of, or as recorded."""
        for old in self._old:
            if tuple(path_parts(old, path.windows)) == entry[0]:
                return old
        written = path.written[: len(entry[0])]
        if written[:1] == ["/"]:
            return "/" + "/".join(written[1:])
        return "/".join(written) + ("/" if path.windows and len(written) == 1 else "")


def _unknown(paths: Iterable[_Path]) -> tuple[int, int]:
    """Return how many paths could lead to several places, and how many to none."""
    lost = [path.ambiguous for path in paths if path.target is None]
    return sum(lost), len(lost) - sum(lost)


class _Path:
    """A path while the entries that lead it are chosen."""

    def __init__(self, aim: Target) -> None:
        place = aim.place
        self.windows = place.windows
        self.written = path_parts(place.recorded)
        self.parts = tuple(path_parts(place.recorded, place.windows))
        self.target = aim.target
        self.ambiguous = aim.ambiguous
        self.waits = aim.target is not None and not aim.stays
        self.leads = place.path
        # The longest entry that fits is applied: a shorter one would have no effect.
        self.applied = -1
        if place.mapped is not None:
            self.applied = len(path_parts(place.mapped[0], place.windows))
        self.least = self._least(place)

    def entries(self) -> Iterator[Entry]:
        """Yield the entries that would lead it to its target, the most general first."""
        if not self.waits or self.target is None:
            return
        target = path_parts(self.target)
        for length in range(max(self.least, self.applied), len(self.parts) + 1):
            rest = self.written[length:]
            if not rest or target[-len(rest) :] == rest:
                yield self.parts[:length], os.path.join("/", *target[: len(target) - len(rest)])

    def heeds(self, old: Parts) -> bool:
        """Tell whether an entry that fits would be applied."""
        return len(old) >= self.applied

    def led_by(self, entry: Entry) -> str:
        """Return where an entry leads it."""
        rest = self.written[len(entry[0]) :]
        slash = "/" if self.leads.endswith("/") else ""
        return os.path.join(entry[1], *rest).rstrip("/") + slash

    def is_misled_by(self, entry: Entry) -> bool:
        """Tell whether an entry would lead it away from where it should lead."""
        right = self.target is not None and not self.waits
        return right and self.heeds(entry[0]) and self.led_by(entry) != self.leads

    def follow(self, entry: Entry) -> None:
        """Take in that an entry was chosen."""
        if self.heeds(entry[0]):
            self.applied = len(entry[0])
            self.leads = self.led_by(entry)
            if self.target is not None and self.leads.rstrip("/") == self.target.rstrip("/"):
                self.waits = False

    def _least(self, place: Place) -> int:
        """Return how many parts an entry must have at least."""
        if self.parts[:1] == ("/",):
            return 2  # '/' would speak of all files of all runs
        # The empty entry stands for relative paths without a root.
        return 1 if place.root or place.windows else 0
