"""Missing files matched with files that were found elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..external.files.listing import Found
from ..external.handler_cache import identity
from ..external.locate import Guard, Place, path_parts
from .walk import Tails

if TYPE_CHECKING:
    from ..external.registry import Registry

__all__ = ["Identity", "Matches", "Sought", "match", "moved_path"]

Identity = tuple[int, int]
"""What tells one file from another, whatever leads to it."""

Parts = tuple[str, ...]


@dataclass(eq=False)
class Sought:
    """A resource, and what became of its files.

    Attributes
    ----------
    found
        Its files as they are sought now.
    missing
        Those of them that are not there.
    find
        Finds them for a registry, which may have another root map.
    target
        Where the resource's own path would have to lead; None if that is not known.
    shared
        How many last parts old and new paths have in common.
    ambiguous
        Whether there are several targets, none better than the others.
    """

    found: Found
    missing: list[str]
    find: Callable[[Registry], Found]
    target: str | None = None
    shared: int = 0
    ambiguous: bool = False

    @property
    def present(self) -> int:
        """How many of the files are where they are sought."""
        return len(self.found.paths) - len(self.missing)

    def parts_of(self, path: str) -> Parts:
        """Return the parts of a file's path as it was recorded."""
        place = self.found.place
        return tuple(path_parts(moved_path(place, place.recorded, path)))


@dataclass
class Matches:
    """What there is to say of missing files beside where they are.

    Attributes
    ----------
    ambiguous
        For a missing file, the places that are equally good.
    refused
        For a missing file, the place outside of the allowed roots where it is.
    """

    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def moved_path(place: Place, target: str, path: str) -> str:
    """Return where a file of a resource would be if the resource's own path led to a target.

    Examples
    --------
    >>> moved_path(Place("/data/img", "/data/img"), "/new/img", "/data/img_0.npy")
    '/new/img_0.npy'
    """
    old, target = place.path.rstrip("/"), target.rstrip("/")
    if path.startswith(old):
        return target + path[len(old) :]
    beside = os.path.relpath(path, os.path.dirname(old) or ".")
    return os.path.normpath(os.path.join(os.path.dirname(target), beside))


def match(sought: Sequence[Sought], tails: Tails, guard: Guard) -> Matches:
    """Find out where resources are whose files are missing; sets their `target`.

    A file is matched with one of the same name, of several with the one in
    whose path most of the last parts are the same. It cannot be a file that
    another path matches better.

    Parameters
    ----------
    sought
        The resources.
    tails
        Files that were found elsewhere, and belong to nobody yet.
    guard
        Says which files may be read.
    """
    claims = _Claims(guard)
    for each in sought:
        for path in each.missing:
            parts = each.parts_of(path)
            if parts not in claims.made:
                claims.make(parts, *tails.best(parts))
    matches = Matches()
    for each in sought:
        _aim(each, claims, matches)
    return matches


class _Claims:
    """Which recorded paths may stand for which files."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._best: dict[Identity, tuple[int, set[Parts]]] = {}
        self._known: dict[str, tuple[Identity | None, bool]] = {}
        self.made: dict[Parts, tuple[int, dict[Identity, str]]] = {}
        self.refused: dict[Parts, str] = {}

    def make(self, parts: Parts, common: int, paths: Iterable[str]) -> None:
        """Claim files for a recorded path."""
        found: dict[Identity, str] = {}
        for path in paths:
            one, allowed = self._look(path)
            if one is None or one in found:
                continue
            if not allowed:
                self.refused[parts] = path
                continue
            found[one] = path
            most, who = self._best.get(one, (0, set()))
            if common > most:
                self._best[one] = (common, {parts})
            elif common == most:
                who.add(parts)
        self.made[parts] = (common, found)

    def _look(self, path: str) -> tuple[Identity | None, bool]:
        """Return what a file is, and whether it may be read; many paths may ask for one file."""
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = (identity(path), self._guard.allows(path))
        return known

    def of(self, parts: Parts) -> tuple[int, dict[str, bool]]:
        """Return what nobody else has a better claim to, and whether nobody has as good a one."""
        common, found = self.made[parts]
        good = {path: self._best[one] for one, path in found.items()}
        return common, {path: len(who) == 1 for path, (most, who) in good.items() if most == common}


def _aim(sought: Sought, claims: _Claims, matches: Matches) -> None:
    """Set the target of a resource: where most of its files are, in the likest place."""
    recorded = path_parts(sought.found.place.recorded)
    targets: dict[str, int] = {}
    doubtful: dict[str, list[str]] = {}
    contested = False
    for path in sought.missing:
        parts = sought.parts_of(path)
        common, candidates = claims.of(parts)
        doubtful[path] = sorted(candidates)
        contested |= not all(candidates.values())
        kept = len(parts) - common
        # The root map can only change what the path of the resource begins with.
        if list(parts[:kept]) == recorded[:kept]:
            for candidate in (path for path, alone in candidates.items() if alone):
                target = os.path.join("/", *path_parts(candidate)[:-common], *recorded[kept:])
                targets[target] = max(common, targets.get(target, 0))
    ranked = sorted(((_there(sought, each), common, each) for each, common in targets.items()))
    best = [row for row in ranked if row[:2] == ranked[-1][:2] and row[0] > sought.present]
    if len(best) == 1:
        _, sought.shared, sought.target = best[0]
        return
    sought.ambiguous = bool(best) or contested
    for path, places in doubtful.items():
        if places and sought.ambiguous:
            matches.ambiguous[path] = places
        elif not places and (parts := sought.parts_of(path)) in claims.refused:
            matches.refused[path] = claims.refused[parts]


def _there(sought: Sought, target: str) -> int:
    place = sought.found.place
    return sum(os.path.exists(moved_path(place, target, path)) for path in sought.found.paths)
