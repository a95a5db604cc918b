"""Missing files matched with files that were found elsewhere."""

from __future__ import annotations

import functools
import os
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..external.files.listing import ResourceFiles
from ..external.locate import Guard, beside, path_parts
from ..external.references import Place

Identity = tuple[int, int]
"""What tells one file from another, whatever leads to it."""

Parts = tuple[str, ...]


@dataclass(eq=False)
class LostResource:
    """A resource with missing files, and what there is to say of it once they are matched.

    Its own path would have to lead to `target`. Of missing files, `ambiguous` has the places
    that are equally good, and `refused` one outside of the allowed roots.
    """

    files: ResourceFiles
    missing: list[str]
    target: str | None = None
    common: int = 0  # last parts that are the same in old and new paths
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def present(self) -> int:
        """How many of its files are where they are sought."""
        return len(self.files.paths) - len(self.missing)

    def recorded_parts(self, path: str) -> Parts:
        """Return the parts of a file's path as it was recorded."""
        place = self.files.place
        return tuple(path_parts(moved_path(place, place.recorded, path)))

    def count_at(self, target: str) -> int:
        """Return how many of its files there are if its path leads to a target."""
        place = self.files.place
        return sum(os.path.exists(moved_path(place, target, path)) for path in self.files.paths)


@dataclass(frozen=True)
class _Candidates:
    """Files that may be the one with a recorded path."""

    common: int  # so many last parts are the same
    places: dict[str, bool]  # and whether each fits no other recorded path as well
    refused: str | None


def moved_path(place: Place, target: str, path: str) -> str:
    """Return where a file of a resource would be if the resource's own path led to a target.

    Examples
    --------
    >>> moved_path(Place("/data/img", "/data/img"), "/new/img", "/data/img_0.npy")
    '/new/img_0.npy'
    """
    return beside(place.path.rstrip("/"), target.rstrip("/"), path)


def match(
    resources: Sequence[LostResource], identities: Mapping[str, Identity], guard: Guard
) -> None:
    """Find out where resources are, among files with these paths that belong to nobody yet.

    A file is matched with those whose paths have most last parts in common with its own. It
    cannot be one that the path of another file matches better.
    """
    recorded = {
        resource.recorded_parts(path) for resource in resources for path in resource.missing
    }
    candidates = _candidates(recorded, identities, guard)
    for resource in resources:
        _set_target(resource, candidates)


def _candidates(
    recorded: set[Parts], identities: Mapping[str, Identity], guard: Guard
) -> dict[Parts, _Candidates]:
    tails = Tails(identities)
    allows = functools.cache(guard.allows)
    best: dict[Parts, tuple[int, dict[Identity, str]]] = {}
    claims: dict[Identity, Counter[int]] = defaultdict(Counter)
    for parts in recorded:
        common, paths = tails.best(parts)
        files = {identities[path]: path for path in reversed(paths)}  # a link is no second place
        best[parts] = common, files
        for identity, path in files.items():
            if allows(path):
                claims[identity][common] += 1
    return {
        parts: _Candidates(
            common,
            {
                path: claims[identity][common] == 1
                for identity, path in files.items()
                if common == max(claims[identity], default=0)
            },
            next((path for path in files.values() if not allows(path)), None),
        )
        for parts, (common, files) in best.items()
    }


def _set_target(resource: LostResource, candidates: Mapping[Parts, _Candidates]) -> None:
    """Set where a resource should lead: where most of its files are, in the likest place."""
    recorded = path_parts(resource.files.place.recorded)
    by_path = {path: candidates[resource.recorded_parts(path)] for path in resource.missing}
    targets: dict[str, int] = {}
    for path, matches in by_path.items():
        parts, common = resource.recorded_parts(path), matches.common
        kept = len(parts) - common
        # The root map can only change what the path of the resource begins with.
        if list(parts[:kept]) != recorded[:kept]:
            continue
        for place in (place for place, is_sole in matches.places.items() if is_sole):
            target = os.path.join("/", *path_parts(place)[:-common], *recorded[kept:])
            targets[target] = max(common, targets.get(target, 0))
    votes = {target: (resource.count_at(target), common) for target, common in targets.items()}
    most = max(votes.values(), default=(0, 0))
    best = [target for target, vote in votes.items() if vote == most and most[0] > resource.present]
    if len(best) == 1:
        resource.target, resource.common = best[0], most[1]
    elif best or not all(sole for each in by_path.values() for sole in each.places.values()):
        resource.ambiguous = {
            path: sorted(each.places) for path, each in by_path.items() if each.places
        }
    resource.refused = {
        path: each.refused
        for path, each in by_path.items()
        if each.refused and not each.places and not resource.target
    }


class Tails:
    """Finds, among some paths, those that have most last parts in common with another one.

    Examples
    --------
    >>> tails = Tails(["/new/2023/s1/a.h5", "/new/2024/s1/a.h5", "/new/b.h5"])
    >>> tails.best(["/", "old", "2024", "s1", "a.h5"])
    (3, ['/new/2024/s1/a.h5'])
    >>> tails.best(["/", "old", "s1", "a.h5"])
    (2, ['/new/2023/s1/a.h5', '/new/2024/s1/a.h5'])
    >>> tails.best(["/", "old", "c.h5"])
    (0, [])
    """

    def __init__(self, paths: Iterable[str]) -> None:
        # Backwards and sorted, paths with the same end are neighbours.
        rows = sorted((path_parts(path)[::-1], path) for path in paths)
        self._backwards = [backwards for backwards, _ in rows]
        self._paths = [path for _, path in rows]

    def best(self, parts: Sequence[str]) -> tuple[int, list[str]]:
        """Return how many last parts the best have in common with a path, and the best."""
        end = list(parts[::-1])
        after = bisect_left(self._backwards, end)
        neighbours = self._backwards[max(after - 1, 0) : after + 1]
        common = max((common_length(end, each) for each in neighbours), default=0)
        if not common:
            return 0, []
        first = bisect_left(self._backwards, end[:common])
        last = bisect_right(self._backwards, end[:common], key=lambda each: each[:common])
        return common, self._paths[first:last]


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many parts are the same, from the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
