"""Where missing files are now, and the root map that leads there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..external.files.listing import RunResources, resource_files
from ..external.handler_cache import identity
from ..external.locate import place_of
from .match import Identity, LostResource, match, moved_path
from .report import Relocation
from .root_map import Target, propose
from .walk import Progress, look_through

if TYPE_CHECKING:
    from ..external.registry import Registry
    from ..stores.base import Store

__all__ = ["Search"]


class Search:
    """Looks for the missing files of some runs."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._lost: list[LostResource] = []
        self._targets: list[Target] = []  # of what is where it should be
        self._present: set[Identity] = set()

    def add(self, run: str, referred: RunResources) -> None:
        """Take up the files of a run."""
        for document in referred.resources:
            files = resource_files(self._store, self._registry, document, referred.documents, run)
            identities = {path: self._identity(path) for path in files.paths}
            self._present |= {each for each in identities.values() if each}
            missing = [path for path in files.paths if not identities[path]]
            if missing and files.place.recorded:
                self._lost.append(LostResource(files, missing))
            elif files.paths:
                self._targets.append(Target(files.place, files.place.path))

    def look(
        self, folders: Iterable[str | os.PathLike[str]], progress: Progress | None = None
    ) -> Relocation:
        """Look for what is missing, and work out the root map."""
        lost = {path for each in self._lost for path in each.missing}
        names = {os.path.basename(path.rstrip("/")) for path in lost}
        identities = {path: identity(path) for path in look_through(folders, names, progress)}
        # A file that is where some document says is not what another one has lost.
        free = {path: i for path, i in identities.items() if i and i not in self._present}
        match(self._lost, free, self._registry.guard)
        targets = [*self._targets, *map(_target, self._lost)]
        return self._result(propose(targets, self._registry.root_map))

    def _identity(self, path: str) -> Identity | None:
        return identity(path) if self._registry.guard.allows(path) else None

    def _result(self, root_map: dict[str, str]) -> Relocation:
        before = dict(self._registry.root_map)
        result = Relocation(root_map, before)
        by_name: dict[str, bool] = {}
        for each in self._lost:
            result.ambiguous |= each.ambiguous
            result.refused |= each.refused
            place = place_of(each.files.document, before | root_map)
            for path in each.missing:
                new = moved_path(each.files.place, place.path, path)
                if self._identity(new):
                    result.found[path] = new
                elif path not in result.missing:
                    result.missing.append(path)
            if place.mapped and each.target:
                entry = place.mapped[0]
                by_name[entry] = by_name.get(entry, True) and each.common == 1
        result.by_name = sorted(entry for entry, only in by_name.items() if only)
        return result


def _target(resource: LostResource) -> Target:
    place = resource.files.place
    if resource.target is None and resource.present:
        return Target(place, place.path)
    return Target(place, resource.target, bool(resource.ambiguous))
