"""Where missing files are now, and the root map that leads there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..external.files.listing import resource_files, run_resources
from ..external.handler_cache import identity
from ..external.locate import place_of
from ..runs.run import Run, each_run
from .match import Identity, LostResource, match, moved_path
from .report import Relocation
from .root_map import Target, propose
from .walk import Progress, look_through

if TYPE_CHECKING:
    from ..runs.session import Session


def relocate(
    results: Run | Iterable[Run],
    search_in: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    dry_run: bool = True,
    progress: Progress | None = None,
) -> Relocation:
    """Look for missing external files of some runs, and propose a root map that finds them.

    A file is recognised by its name and, where several have the name, by the
    folders that it is in. What fits several files equally well is reported,
    not guessed. No file is opened that is outside of `allowed_roots`, and none
    that is found now is led elsewhere.

    Parameters
    ----------
    results
        A header, or several, of one broker.
    search_in
        A folder, or several, to look in at any depth.
    dry_run
        Whether only to propose; if False, the entries are put into ``db.reg.root_map``, for
        this session. The configuration is never changed.
    progress
        Called for each folder with how many have been looked through, and its path.

    Returns
    -------
    Relocation
        With `root_map`, `found`, `missing` and `ambiguous`; printed, it says what to write into
        the configuration.

    Raises
    ------
    NotADirectoryError
        One of the folders is not there.
    ValueError
        The headers are of several brokers.

    Examples
    --------
    >>> import databroker, os, tempfile
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
    >>> db.insert("resource", {"uid": "r", "run_start": "b2c1", "spec": "npy", "root": "/data",
    ...                        "resource_path": "2024/a.npy", "resource_kwargs": {}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.mkdir(f"{folder}/2024")
    ...     open(f"{folder}/2024/a.npy", "w").close()
    ...     found = databroker.relocate(db[-1], search_in=folder)
    >>> found.root_map == {"/data": folder}
    True
    """
    folders = [search_in] if isinstance(search_in, str | os.PathLike) else list(search_in)
    search: Search | None = None
    for run in each_run(results):
        search = search or Search(run.session)
        if run.session.registry is not search.session.registry:
            raise ValueError(
                "These headers are of several brokers or sources; relocate those of one."
            )
        search.add(run.uid)
    if search is None:
        return Relocation()
    relocation = search.look(folders, progress)
    relocation.config = search.session.source.configuration
    relocation.applied = not dry_run
    if relocation.applied:
        search.session.registry.root_map.update(relocation.root_map)
    return relocation


class Search:
    """Looks for the missing files of some runs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._registry = session.registry
        self._lost: list[LostResource] = []
        self._targets: list[Target] = []  # of what is where it should be
        self._present: set[Identity] = set()

    def add(self, run: str) -> None:
        """Take up the files of a run."""
        store = self.session.store
        referred = run_resources(store, run, self.session.transforms)
        for document in referred.resources:
            files = resource_files(store, self._registry, document, referred, run)
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
        return self._result(propose(targets, self._registry.roots))

    def _identity(self, path: str) -> Identity | None:
        return identity(path) if self._registry.guard.allows(path) else None

    def _result(self, root_map: dict[str, str]) -> Relocation:
        before = self._registry.roots
        result = Relocation(root_map, before)
        missing: dict[str, None] = {}
        by_name: dict[str, bool] = {}
        for each in self._lost:
            result.ambiguous |= each.ambiguous
            result.refused |= each.refused
            place = place_of(each.files.document, before | root_map)
            for path in each.missing:
                new = moved_path(each.files.place, place.path, path)
                if self._identity(new):
                    result.found[path] = new
                else:
                    missing[path] = None
            if place.mapped and each.target:
                entry = place.mapped[0]
                by_name[entry] = by_name.get(entry, True) and each.common == 1
        result.missing = list(missing)
        result.by_name = sorted(entry for entry, only in by_name.items() if only)
        return result


def _target(resource: LostResource) -> Target:
    place = resource.files.place
    if resource.target is None and resource.present:
        return Target(place, place.path)
    return Target(place, resource.target, bool(resource.ambiguous))
