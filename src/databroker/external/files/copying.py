"""The external files of a run copied elsewhere, and its documents made to point there.

Below the new root, a file keeps its path relative to the root of its resource;
one without a root keeps its whole path, and so do files of whose name there is
another one already. A copy that was broken off is resumed by copying again:
files that are there already are compared, not copied.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..._util.signals import suppressed
from ...errors import CopyRefused, FileMissing, FileRefused, NotSupported, OutsideOfRoot
from ..locate import beside, is_below, uri_of_path
from ..references import DataReference, Place, failure
from .atomic_copy import PART, copy_file, is_copy, sync_folders
from .listing import Doc, ResourceFiles, RunResources, files_below, resource_files, run_files

if TYPE_CHECKING:
    from ...stores.base import Store
    from ..registry import Registry

Pair = tuple[str, str]

Progress = Callable[[int, int, str, str], Any]
"""Is called before each file with its number, how many there are, the old and the new path."""


@dataclass
class Copied:
    """What was copied.

    Attributes
    ----------
    files
        The old and the new path of each file.
    documents
        The resource and stream resource documents that point to the copies, by uid.
    """

    files: list[Pair] = field(default_factory=list)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)


def copy_run(
    store: Store,
    registry: Registry,
    run: str,
    new_root: str | os.PathLike[str],
    *,
    verify: bool = True,
    progress: Progress | None = None,
    on_missing: str = "raise",
) -> Copied:
    """Copy all external files of a run.

    Parameters
    ----------
    store, registry
        Where the documents are, and what opens files.
    run
        The uid of the run.
    new_root
        A folder; it is made if need be.
    verify
        Whether to compare checksums, of files that are there already, too.
    progress
        Called before each file with its number, how many there are, the old and the new path.
    on_missing
        'raise', before anything is copied, or 'skip' files that are not there.

    Raises
    ------
    ExternalDataMissing
        A file is not there.
    CopyRefused
        Another file is where a copy should be. Nothing is ever overwritten.
    CopyFailed
        A file cannot be read or written.
    """
    plan = CopyPlan(registry, new_root, on_missing)
    plan.add(run_files(store, registry, run))
    return plan.carry_out(verify, progress)


def copy_resource(
    store: Store | None,
    registry: Registry,
    resource: Doc,
    new_root: str | os.PathLike[str],
    *,
    run: str | None = None,
    verify: bool = False,
    progress: Progress | None = None,
) -> list[Pair]:
    """Copy the files of one resource; see `copy_run`."""
    run = run or resource.get("run_start")
    documents = list(store.documents(run)) if store is not None and run else []
    plan = CopyPlan(registry, new_root)
    plan.add([resource_files(store, registry, resource, RunResources(documents), run)])
    return plan.carry_out(verify, progress).files


class CopyPlan:
    """Which files go where, worked out before the first is touched.

    `files` is the old path of each file by the new one, and `documents` those that point to
    the copies, by uid. Files that are not there are skipped, if that is asked for.
    """

    def __init__(
        self, registry: Registry, new_root: str | os.PathLike[str], on_missing: str = "raise"
    ) -> None:
        if on_missing not in ("raise", "skip"):
            raise ValueError(f"on_missing is 'raise' or 'skip', not {on_missing!r}.")
        self._registry = registry
        self._root = os.path.abspath(os.path.expanduser(os.fspath(new_root)))
        self._skips = on_missing == "skip"
        self.files: dict[str, str] = {}
        self.documents: dict[str, dict[str, Any]] = {}

    def add(self, resources: Iterable[ResourceFiles]) -> None:
        """Add the files of some resources: each must be there, and have a free place."""
        for resource in resources:
            files = list(existing_files(self._registry, resource, self._root, self._skips))
            if resource.paths and not files:
                # Where nothing was copied, there is nothing new to point to.
                self.documents[resource.uid] = dict(resource.document)
                continue
            relative, pairs = self._destinations(resource, files)
            self.files.update(pairs)
            self.documents[resource.uid] = self._redirected(resource, relative)

    def carry_out(self, verify: bool = True, progress: Progress | None = None) -> Copied:
        """Copy the files; see `copy_run`."""
        copied = Copied(documents=self.documents)
        try:
            for number, (new, old) in enumerate(self.files.items()):
                if progress is not None:
                    # Reporting must not stop the work, as in databroker 1.x.
                    with suppressed(Exception):
                        progress(number, len(self.files), old, new)
                copy_file(old, new, verify)
                copied.files.append((old, new))
        finally:
            sync_folders(new for _, new in copied.files)
        return copied

    def _destinations(
        self, resource: ResourceFiles, files: list[str]
    ) -> tuple[str, dict[str, str]]:
        """Return the resource's new path below the new root, and the old path of each new file."""
        conflict = ""
        for relative in _places(resource.place):
            pairs = {destination(self._root, relative, old, resource.place): old for old in files}
            # Two roots may have files of the same name: the later one keeps its whole path.
            folders = [path for path in resource.paths if os.path.isdir(path)]
            tops = [destination(self._root, relative, path, resource.place) for path in folders]
            conflict = self._conflict(pairs, tops)
            if not conflict:
                return relative, pairs
        raise CopyRefused(f"{resource.place.path} is not copied: another file is at {conflict}.")

    def _conflict(self, pairs: Mapping[str, str], folders: Iterable[str]) -> str:
        """Return the path of a file that would be overwritten, or taken for one of these."""
        for new, old in pairs.items():
            other = self.files.get(new, old)
            if other != old and not os.path.samefile(other, old):
                return new
            if os.path.lexists(new) and not is_copy(old, new, verify=False):
                return new
        # A folder that is one array has no room for files of another one.
        for folder in folders:
            present = list(files_below(folder)) if os.path.isdir(folder) else []
            for file in [*self.files, *present]:
                if is_below(folder, file) and file not in pairs and not file.endswith(PART):
                    return file
        return ""

    def _redirected(self, resource: ResourceFiles, relative: str) -> dict[str, Any]:
        if resource.document.get("uri") is not None:
            moved = {"uri": uri_of_path(os.path.join(self._root, relative))}
        else:
            semantics = "windows" if os.name == "nt" else "posix"
            moved = {
                "root": self._root,
                "resource_path": relative,
                "path_semantics": semantics,
            }
        return {**resource.document, **moved}


def existing_files(
    registry: Registry,
    resource: ResourceFiles,
    target: str,
    skips: bool = False,
) -> Iterator[str]:
    """Yield the files of a resource, all in a folder where that is one array.

    Those that are not there are an error, or are skipped. What is copied must not be around the
    place that it is copied to.
    """
    for path in resource.paths:
        reference = DataReference(spec=resource.spec, run=resource.document.get("run_start"))
        registry.guard.check(path, reference)
        if os.path.isdir(path):
            _check_folder(resource, path, target)
            for file in files_below(path):
                registry.guard.check(file, reference)  # there may be links in it
                yield file
        elif os.path.isfile(path):
            yield path
        elif not skips:
            why = f" ({resource.problem})" if resource.problem else ""
            raise failure(
                FileMissing,
                reference,
                resource.place,
                f"there is no file {path} to be copied{why}",
                "Nothing was copied. With on_missing='skip' (in a terminal: --skip-missing), what "
                "is there is copied.",
            ) from resource.error


def _check_folder(resource: ResourceFiles, path: str, target: str) -> None:
    if isinstance(resource.error, FileRefused):
        raise resource.error
    if resource.error is not None:
        raise NotSupported(
            f"It is not known which files of {path} belong to the run: {resource.error}"
        ) from resource.error
    if is_below(os.path.realpath(path), os.path.realpath(target)):
        raise CopyRefused(f"{target} is inside of {path}, which is to be copied.")


def destination(root: str, relative: str, old: str, place: Place) -> str:
    """Return the path below a root of a file, whose name goes on where its resource's path ends."""
    path, file = os.path.realpath(place.path), os.path.realpath(old)
    if old.startswith(place.path) or not file.startswith(path):
        path, file = place.path, old  # else a handler has resolved links on the way
    new = os.path.normpath(beside(path, os.path.join(root, relative), file))
    if not is_below(root, new):
        raise OutsideOfRoot(f"{old} is not below the root of its resource, so it is not copied.")
    return new


def _places(place: Place) -> list[str]:
    """Return where a resource may be below a new root: by its own root, else by its whole path."""
    recorded, root = _parts(place.recorded), _parts(place.root)
    places = [whole_path(place.recorded)]
    if place.root and recorded[: len(root)] == root:
        slash = "/" if place.recorded.endswith("/") else ""
        relative = "/".join(recorded[len(root) :])
        places.insert(0, f"{relative}{slash}" if relative else "")
    return places


def whole_path(path: str) -> str:
    r"""Return a path of any machine as one below another folder.

    Examples
    --------
    >>> whole_path("/data/2024/a.h5"), whole_path("C:\\data\\")
    ('data/2024/a.h5', 'C/data/')
    """
    relative = "/".join(part.rstrip(":") for part in _parts(path))
    return f"{relative}/" if relative and path.endswith(("/", "\\")) else relative


def _parts(path: str) -> list[str]:
    parts = posixpath.normpath(path.replace("\\", "/").lstrip("/")).split("/")
    if parts[0] == "..":
        raise OutsideOfRoot(f"{path!r} leads out of its root, so it is not copied.")
    return [] if parts == ["."] else parts
