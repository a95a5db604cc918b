"""The few entries of a root map that lead paths to where they should lead."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..external.locate import path_parts
from ..external.references import Place
from .match import common_length

Unknown = Counter[tuple[bool, tuple[str, ...]]]
"""How many paths below a folder could lead to several places (True), or to none that is known."""


@dataclass
class Target:
    """A recorded path, and where it should lead: None if that is not known.

    It is `ambiguous` if that is because there are several places. While entries are chosen, it
    knows where it `leads`; the `shortest` entry that could change this has so many parts.
    """

    place: Place
    target: str | None
    ambiguous: bool = False

    def __post_init__(self) -> None:
        place = self.place
        self.written = path_parts(place.recorded)
        self.parts = tuple(path_parts(place.recorded, place.windows))
        self.leads = place.path
        # The longest entry that fits is applied: a shorter one would have no effect.
        mapped = path_parts(place.mapped[0], place.windows) if place.mapped else ()
        self.shortest = max(_least(place), len(mapped))

    @property
    def is_right(self) -> bool:
        """Whether it leads where it should."""
        return self.target is not None and self.leads.rstrip("/") == self.target.rstrip("/")

    def vote(self, length: int) -> str | None:
        """Return where its first parts would have to lead, if that is enough."""
        if self.target is None or self.is_right:
            return None
        rest, target = self.written[length:], path_parts(self.target)
        kept = len(target) - len(rest)
        return os.path.join("/", *target[:kept]) if target[kept:] == rest else None

    def led_by(self, length: int, new: str) -> str:
        """Return where it leads if its first parts lead to a folder."""
        return os.path.join(new, *self.written[length:]).rstrip("/")

    def is_misled_by(self, length: int, new: str) -> bool:
        """Tell whether that would lead it away from where it should."""
        return self.is_right and self.led_by(length, new) != self.leads.rstrip("/")


def propose(targets: Sequence[Target], root_map: Mapping[str, str]) -> dict[str, str]:
    """Return the entries to be added to a root map, or to take the place of others.

    From the outermost folder inwards, the paths below each vote for where it should lead. No
    path that leads where it should is led elsewhere.

    Examples
    --------
    >>> targets = [
    ...     Target(Place("/data/a/1.h5", "/data/a/1.h5"), "/new/a/1.h5"),
    ...     Target(Place("/data/b/2.h5", "/data/b/2.h5"), "/new/b/2.h5"),
    ... ]
    >>> propose(targets, {})
    {'/data': '/new'}
    >>> stays = Place("/data/c/3.h5", "/data/c/3.h5")
    >>> propose([*targets, Target(stays, "/data/c/3.h5")], {})
    {'/data/a': '/new/a', '/data/b': '/new/b'}
    """
    paths = [replace(target) for target in targets]  # they are changed
    unknown = _unknown(paths)
    below: dict[tuple[str, ...], list[Target]] = defaultdict(list)
    for path in paths:
        for length in range(path.shortest, len(path.parts) + 1):
            below[path.parts[:length]].append(path)
    entries: dict[str, str] = {}
    for folder in sorted(below, key=len):
        length = len(folder)
        new = _elected(below[folder], length, unknown)
        if new is not None:
            entries[_written(below[folder][0], length, root_map)] = new
            for path in below[folder]:
                path.leads = path.led_by(length, new)
    return entries


def _unknown(paths: Sequence[Target]) -> Unknown:
    return Counter(
        (path.ambiguous, path.parts[:length])
        for path in paths
        if path.target is None
        for length in range(path.shortest, len(path.parts) + 1)
    )


def _best_length(voters: Sequence[Target], length: int, unknown: Unknown) -> int:
    """Return how many parts an entry for some paths has best: few unknown paths, then few parts."""
    first, last = (each(path.parts for path in voters) for each in (min, max))

    def cost(n: int) -> tuple[int, bool, int, int]:
        return unknown[True, first[:n]], n == len(first), unknown[False, first[:n]], n

    return min(range(length, common_length(first, last) + 1), key=cost)


def _elected(paths: Sequence[Target], length: int, unknown: Unknown) -> str | None:
    """Return where the folder of some paths leads most of them, without harm to the others."""
    votes: dict[str, list[Target]] = defaultdict(list)
    for path in paths:
        new = path.vote(length)
        if new is not None:
            votes[new].append(path)
    for new in sorted(votes, key=lambda new: (-len(votes[new]), new)):
        is_best_here = _best_length(votes[new], length, unknown) == length
        if is_best_here and not any(path.is_misled_by(length, new) for path in paths):
            return new
    return None


def _least(place: Place) -> int:
    """Return how many parts an entry must have at least."""
    if place.recorded.startswith("/"):
        return 2  # '/' would speak of all files of all runs
    # The empty entry stands for relative paths without a root.
    return 1 if place.root or place.windows else 0


def _written(path: Target, length: int, root_map: Mapping[str, str]) -> str:
    """Return the folder as the root map has it already, or as it was recorded."""
    for old in root_map:
        if tuple(path_parts(old, path.place.windows)) == path.parts[:length]:
            return old
    anchor, *rest = path.written[:length] or [""]
    if anchor == "/":
        return "/" + "/".join(rest)
    return "/".join([anchor, *rest]) + ("/" if path.place.windows and length == 1 else "")
