"""Where missing files are now, and the root map that leads there."""

from __future__ import annotations

import copy
import functools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..external.files.listing import Found, Referred, find_files
from ..external.handler_cache import identity
from ..external.locate import Place, place_of
from .match import Identity, Matches, Sought, match, moved_path
from .root_map import Target, propose
from .walk import Progress, Tails, look_through

if TYPE_CHECKING:
    from ..external.registry import Registry
    from ..stores.base import Store

__all__ = ["Relocated", "Search"]


@dataclass
class Relocated:
    """What a search for missing files gave.

    Attributes
    ----------
    root_map
        The entries that make the files found.
    found
        The new path of each file that is found with them, by the one where it is sought now.
    missing
        The files that are still missing.
    ambiguous
        Files that could be in several places, and the places. Where an entry that others speak
        for leads to one of them, the file is found there all the same.
    refused
        Missing files that are outside of the allowed roots, and where.
    by_name
        The entries that only the names of files speak for, not the folders that they are in.
    """

    root_map: dict[str, str] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    by_name: list[str] = field(default_factory=list)


class Search:
    """Looks for the missing files of some runs.

    Parameters
    ----------
    store, registry
        Where the documents are, and what opens files.
    """

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._lost: list[Sought] = []
        self._kept: list[Place] = []
        self._there: set[Identity] = set()

    def add(self, run: str, referred: Referred) -> None:
        """Take up the files of a run."""
        for document in referred.resources:
            find = functools.partial(
                find_files, self._store, document=document, documents=referred.documents, run=run
            )
            found = find(self._registry)
            missing = self._missing(found)
            if missing and found.place.recorded:
                self._lost.append(Sought(found, missing, find))
            elif found.paths:
                self._kept.append(found.place)

    def look(
        self, folders: Iterable[str | os.PathLike[str]], progress: Progress | None = None
    ) -> Relocated:
        """Look for what is missing, and work out the root map.

        Raises
        ------
        NoSuchFolder
            One of the folders is not there.
        """
        names = {os.path.basename(path.rstrip("/")) for each in self._lost for path in each.missing}
        paths = look_through(folders, names, progress)
        # A file that is where some document says is not what another one has lost.
        tails = Tails(path for path in paths if identity(path) not in self._there)
        matches = match(self._lost, tails, self._registry.guard)
        while True:
            root_map = propose(self._aims(), self._registry.root_map)
            wrong = [each for each in self._lost if each.target and not self._works(each, root_map)]
            if not wrong:
                return self._result(root_map, matches)
            # What is there is not what the documents speak of: the rest, without it.
            for each in wrong:
                each.target = None

    def _missing(self, found: Found) -> list[str]:
        """Return the files that are not there, and remember the others."""
        missing = []
        for path in found.paths:
            one = identity(path) if self._registry.guard.allows(path) else None
            if one is None:
                missing.append(path)
            else:
                self._there.add(one)
        return missing

    def _aims(self) -> list[Target]:
        aims = [Target(place, place.path) for place in self._kept]
        for each in self._lost:
            place = each.found.place
            target = each.target or (place.path if each.present else None)
            aims.append(Target(place, target, each.ambiguous))
        return aims

    def _works(self, each: Sought, root_map: Mapping[str, str]) -> bool:
        """Tell whether more files of a resource would be found with some entries."""
        trial = copy.copy(self._registry)
        trial.root_map = {**self._registry.root_map, **root_map}
        there = [path for path in each.find(trial).paths if self._is_there(path)]
        return len(there) > each.present

    def _is_there(self, path: str) -> bool:
        return self._registry.guard.allows(path) and os.path.exists(path)

    def _result(self, root_map: dict[str, str], matches: Matches) -> Relocated:
        result = Relocated(root_map, ambiguous=matches.ambiguous, refused=matches.refused)
        missing: dict[str, None] = {}
        unsure: set[str] = set()
        sure: set[str] = set()
        for each in self._lost:
            place = place_of(each.found.document, {**self._registry.root_map, **root_map})
            for path in each.missing:
                new = moved_path(each.found.place, place.path, path)
                if self._is_there(new):
                    result.found[path] = new
                else:
                    missing[path] = None
            if place.mapped and each.target:
                (sure if each.shared > 1 else unsure).add(place.mapped[0])
        result.missing = list(missing)
        result.by_name = sorted(unsure - sure)
        return result
