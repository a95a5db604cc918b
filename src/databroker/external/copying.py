"""The external files of a run copied elsewhere, and its documents made to point there.

Below the new root, a file keeps its path relative to the root of its resource;
one without a root keeps its whole path. A copy that was broken off is resumed
by copying again: files that are there already are compared, not copied.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import DatabrokerError, NotSupported
from .failures import FileMissing, Reference, failure
from .files import Found, find_files
from .paths import Place, uri_of_path

if TYPE_CHECKING:
    from ..stores.contract import Store
    from .registry import Registry

__all__ = ["Copied", "CopyRefused", "OutsideOfRoot", "copy_resource", "copy_run"]

Doc = Mapping[str, Any]
Pair = tuple[str, str]
Progress = Callable[[int, int, str, str], Any]

_BLOCK = 2**20


class CopyRefused(DatabrokerError, FileExistsError):
    """There is another file already where a copy should be."""


class OutsideOfRoot(DatabrokerError, RuntimeError):
    """A file is not below the root of its resource, and has no place below a new one."""


class CopyDiffers(DatabrokerError, OSError):
    """A copy has not the checksum of what was copied."""


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
    new_root: str,
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
    """
    documents = store.documents(run)
    resources = [doc for kind, doc in documents if kind in ("resource", "stream_resource")]
    found = [find_files(store, registry, doc, documents, run) for doc in resources]
    return _copied(registry, found, new_root, verify, progress, on_missing)


def copy_resource(
    store: Store | None,
    registry: Registry,
    resource: Doc,
    new_root: str,
    *,
    verify: bool = False,
    progress: Progress | None = None,
) -> list[Pair]:
    """Copy the files of one resource; see `copy_run`."""
    documents = store.documents(str(resource.get("run_start"))) if store is not None else []
    found = find_files(store, registry, resource, documents)
    return _copied(registry, [found], new_root, verify, progress, "raise").files


def _copied(
    registry: Registry,
    resources: Sequence[Found],
    new_root: str,
    verify: bool,
    progress: Progress | None,
    on_missing: str,
) -> Copied:
    new_root = os.path.abspath(os.path.expanduser(new_root))
    taken: dict[str, str] = {}
    copied = Copied()
    for resource in resources:
        for path in resource.paths:
            registry.guard.check(path, Reference(spec=resource.spec))
        relative, pairs = _plan(resource, new_root, taken, on_missing)
        taken.update({new: old for old, new in pairs})
        document = _pointing(resource, new_root, relative)
        copied.documents[str(resource.document["uid"])] = document
    todo = [(old, new) for new, old in taken.items()]
    for number, (old, new) in enumerate(todo):
        if progress is not None:
            # Reporting must not stop the work, as in databroker 1.x.
            with contextlib.suppress(Exception):
                progress(number, len(todo), old, new)
        copy_file(old, new, verify)
        copied.files.append((old, new))
    return copied


def _plan(
    resource: Found, new_root: str, taken: Mapping[str, str], on_missing: str
) -> tuple[str, list[Pair]]:
    """Return the resource's new path below the new root, and that of each file."""
    files = [file for path in resource.paths for file in _expanded(resource, path, on_missing)]
    pairs: list[Pair] = []
    for relative in _relative(resource.place):
        pairs = [(old, _below(new_root, relative, old, resource.place)) for old in files]
        # Two roots may have files of the same name: the later one keeps its whole path.
        if all(taken.get(new, old) == old for old, new in pairs):
            return relative, pairs
    new = next(new for old, new in pairs if taken.get(new, old) != old)
    raise CopyRefused(f"Two different files would be copied to {new}.")


def _expanded(resource: Found, path: str, on_missing: str) -> list[str]:
    if os.path.isdir(path):
        if resource.problem is not None:
            raise NotSupported(
                f"It is not known which files of {path} belong to the run: {resource.problem}"
            )
        walked = (os.path.join(top, name) for top, _, names in os.walk(path) for name in names)
        return sorted(walked)
    if os.path.isfile(path):
        return [path]
    if on_missing == "skip":
        return []
    reference = Reference(spec=resource.spec, run=resource.document.get("run_start"))
    why = f" ({resource.problem})" if resource.problem else ""
    raise failure(
        FileMissing,
        reference,
        resource.place,
        f"there is no file {path} to be copied{why}",
        "Nothing was copied. With on_missing='skip', what is there is copied.",
    )


def _relative(place: Place) -> list[str]:
    """Return where a resource may be below a new root: by its own root, else by its whole path."""
    whole = "/".join(part.rstrip(":") for part in _parts(place.recorded))
    slash = "/" if place.recorded.endswith("/") else ""
    root = _parts(place.root)
    inside = place.root and _parts(place.recorded)[: len(root)] == root
    found = ["/".join(_parts(place.recorded)[len(root) :])] if inside else []
    return [f"{relative}{slash}" for relative in [*found, whole]]


def _parts(path: str) -> list[str]:
    parts: list[str] = []
    for part in path.replace("\\", "/").split("/"):
        if part == "..":
            if not parts:
                raise OutsideOfRoot(f"{path!r} leads out of its root, so it is not copied.")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return parts


def _below(new_root: str, relative: str, old: str, place: Place) -> str:
    """Return the new path of a file, whose name goes on where its resource's path ends."""
    if old.startswith(place.path):
        new = os.path.join(new_root, relative) + old[len(place.path) :]
    else:
        folder = os.path.dirname(place.path)
        beside = os.path.relpath(old, folder or ".")
        new = os.path.join(new_root, os.path.dirname(relative), beside)
    new = os.path.normpath(new)
    if os.path.commonpath([new, new_root]) != new_root:
        raise OutsideOfRoot(f"{old} is not below the root of its resource, so it is not copied.")
    return new


def _pointing(resource: Found, new_root: str, relative: str) -> dict[str, Any]:
    document = dict(resource.document)
    if "uri" in document:
        return {**document, "uri": uri_of_path(os.path.join(new_root, relative))}
    semantics = "windows" if os.name == "nt" else "posix"
    return {
        **document,
        "root": new_root,
        "resource_path": relative,
        "path_semantics": semantics,
    }


def copy_file(old: str, new: str, verify: bool = True) -> bool:
    """Copy one file, unless it is there already; return whether it was copied.

    The copy appears under its name when it is complete. What is there already
    is the same if it has the same size and, with `verify`, the same checksum.

    Raises
    ------
    CopyRefused
        Another file is there.
    CopyDiffers
        What was written is not what was read.
    """
    if os.path.exists(new):
        if os.path.samefile(old, new):
            return False
        if os.path.getsize(old) != os.path.getsize(new) or (
            verify and _checksum(old) != _checksum(new)
        ):
            raise CopyRefused(f"{old} is not copied: there is another file already at {new}.")
        return False
    os.makedirs(os.path.dirname(new), exist_ok=True)
    part = f"{new}.part"
    read = hashlib.sha256()
    with open(old, "rb") as source, open(part, "wb") as target:
        while block := source.read(_BLOCK):
            read.update(block)
            target.write(block)
        target.flush()
        os.fsync(target.fileno())
    if verify and _checksum(part) != read.digest():
        os.unlink(part)
        raise CopyDiffers(f"The copy of {old} at {new} has another checksum. Is the disk sound?")
    shutil.copystat(old, part)
    os.replace(part, new)
    return True


def _checksum(path: str) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
