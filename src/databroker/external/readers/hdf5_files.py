"""HDF5 files opened for reading, and the other files that they lead to.

Those are through links, virtual datasets and external storage.
"""

from __future__ import annotations

import functools
import os
import posixpath
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from ..._util.signals import not_from_signal, suppressed
from ...extras import require
from ..locate import Guard

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None

Step = tuple[tuple[str, ...], str]
"""The paths that are tried in turn, and the name of a dataset in the file; '' if it is no HDF5."""

_PREFIXES = ("HDF5_EXT_PREFIX", "HDF5_VDS_PREFIX", "HDF5_EXTFILE_PREFIX")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MOST = 16  # soft links that follow each other, as the library itself has it


def opened_hdf5(path: str, swmr: bool = False) -> Any:
    """Open a file for reading, so that neither its writer nor this process's user notices.

    HDF5 refuses to open a file twice in a process with and without locking, so a
    file that is opened without would be closed to the user's own `h5py.File`.
    Therefore the lock is taken as usual and let go at once, where that can be done.
    """
    h5py = require("h5py", "images")
    attempts = [True, False] if swmr else [False, True]
    options = [{"swmr": each} for each in attempts]
    # A writer may hold the lock, or the disk know none.
    unlocked = [{"swmr": each, "locking": False} for each in attempts]
    first: OSError | None = None
    for each in [*options, *unlocked] if fcntl is not None else [*unlocked, *options]:
        try:
            file = h5py.File(path, "r", **each)
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            raise
        except not_from_signal(OSError) as error:
            first = first or error
        else:
            if file.mode == "r":  # else it is open for writing in this process: not ours to unlock
                _unlock(file)
            return file
    assert first is not None
    raise first


def _unlock(file: Any) -> None:
    if fcntl is not None:
        with suppressed(OSError):
            fcntl.flock(file.id.get_vfd_handle(), fcntl.LOCK_UN)


def linked_files(
    file: Any,
    name: str | None,
    opened: Callable[[str], Any],
    check: Callable[[str], Any] = lambda path: None,
) -> list[str]:
    """Return the files that a dataset in a file is read from beside it, at any depth."""

    def steps(file: Any, inner: str) -> list[Step]:
        return list(dict.fromkeys(_all_steps(file))) if name is None else _steps(file, inner)

    paths: dict[str, None] = {}
    waiting = steps(file, name or "")
    seen = set(waiting)
    while waiting:
        places, inner = waiting.pop(0)
        existing = [path for path in places if os.path.exists(path)] or [places[0]]
        paths[os.path.normpath(existing[0])] = None
        for path in existing:
            check(path)
            # Where one cannot be opened, the library goes on to the next.
            with suppressed(OSError):
                if inner:
                    with opened(path) as other:
                        more = [step for step in steps(other, inner) if step not in seen]
                    waiting += more
                    seen.update(more)
                    break
    paths.pop(os.path.abspath(file.filename), None)
    return list(paths)


def check_links(guard: Guard, path: str) -> None:
    """Refuse a file that leads to where nothing may be read, if it is an HDF5 file.

    For readers that do not ask themselves; whatever is in the file is looked at, as
    nobody knows what they read of it.
    """
    if guard and os.path.isfile(path):
        status = os.stat(path)
        if not _leads_nowhere(path, (status.st_ino, status.st_size, status.st_mtime_ns)):
            with opened_hdf5(path) as file:
                linked_files(file, None, opened_hdf5, guard.check)


@functools.lru_cache(maxsize=256)
def _leads_nowhere(path: str, state: tuple[int, ...]) -> bool:
    """Tell whether a file in some state has no links to others, or is no HDF5 file at all."""
    if not _is_hdf5(path):
        return True
    with opened_hdf5(path) as file:
        return not _all_steps(file)


def _is_hdf5(path: str) -> bool:
    """Tell whether there is a signature in any of the places where one may be."""
    size, place = os.path.getsize(path), 0
    with open(path, "rb") as file:
        while place < size:
            file.seek(place)
            if file.read(len(_SIGNATURE)) == _SIGNATURE:
                return True
            place = max(2 * place, 512)
    return False


def _steps(file: Any, name: str, softly: int = 0) -> list[Step]:
    """Return where a dataset is read from, one step further; nothing if that is the file itself."""
    h5py = require("h5py", "images")
    item = file
    parts = [part for part in name.split("/") if part]
    for number, part in enumerate(parts, 1):
        link = item.get(part, getlink=True) if isinstance(item, h5py.Group) else None
        rest = "/".join(parts[number:])
        if isinstance(link, h5py.ExternalLink):
            return [(_places(file, link.filename), f"{link.path}/{rest}")]
        if isinstance(link, h5py.SoftLink):
            target = posixpath.join(item.name, link.path, rest)
            return _steps(file, target, softly + 1) if softly < _MOST else []
        if link is None:
            return []
        item = item.get(part)
    return list(dict.fromkeys(_sources(item))) if isinstance(item, h5py.Dataset) else []


def _all_steps(file: Any) -> list[Step]:
    """Return where anything in a file is read from, one step further."""
    h5py = require("h5py", "images")
    steps: list[Step] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            steps.extend(_sources(item))
        elif isinstance(item, h5py.Group):
            links = (item.get(key, getlink=True) for key in item)
            steps.extend(
                (_places(file, link.filename), link.path)
                for link in links
                if isinstance(link, h5py.ExternalLink)
            )

    visit("/", file)
    file.visititems(visit)
    return steps


def _sources(dataset: Any) -> Iterator[Step]:
    """Yield what a virtual dataset, or one with external storage, is read from."""
    file = dataset.file
    for name, _, _ in dataset.external or ():
        yield ((name,) if os.path.isabs(name) else _places(file, name)), ""
    for source in dataset.virtual_sources() if dataset.is_virtual else ():
        name, inner = source.file_name, source.dset_name
        if name == ".":
            yield (os.path.abspath(file.filename),), inner
        elif "%b" not in name:
            yield _places(file, name), inner
        else:
            yield from _series(file, name, inner)


def _series(file: Any, name: str, inner: str) -> Iterator[Step]:
    """Yield a series of files without an end: those that there are."""
    for number in count():
        places = _places(file, name.replace("%b", str(number)))
        if number and not any(map(os.path.exists, places)):
            return
        yield places, inner.replace("%b", str(number))


def _places(file: Any, name: str) -> tuple[str, ...]:
    """Return where the library looks for another file: also in the folder we happen to be in."""
    path = os.path.abspath(file.filename)
    own = os.path.dirname(path)
    given = [name] if os.path.isabs(name) else []
    prefixes = [os.environ.get(variable, "").replace("${ORIGIN}", own) for variable in _PREFIXES]
    folders = [folder for each in prefixes for folder in each.split(os.pathsep) if folder]
    folders += [own, os.getcwd(), os.path.dirname(os.path.realpath(path))]
    rest = os.path.basename(name) if given else name
    return tuple(dict.fromkeys([*given, *(os.path.join(folder, rest) for folder in folders)]))
