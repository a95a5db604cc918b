"""The other files that a dataset in an HDF5 file is read from."""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from ...extras import require

__all__ = ["linked_files"]

Step = tuple[str, str]
"""The path of a file, and the name of a dataset in it; '' where it is no HDF5 file."""

_MOST = 16  # soft links that follow each other, as the library itself has it


def linked_files(
    file: Any,
    name: str,
    opened: Callable[[str], Any],
    check: Callable[[str], Any] = lambda path: None,
) -> list[str]:
    """Return the files that links, virtual datasets and external storage lead to, at any depth.

    Parameters
    ----------
    file
        As h5py has it open.
    name
        Of the dataset in the file.
    opened
        Opens other files.
    check
        Is called with the path of each before it is opened, and may raise.
    """
    found: dict[str, None] = {}
    waiting = _steps(file, name)
    seen = set(waiting)
    while waiting:
        path, inner = waiting.pop(0)
        check(path)
        found[os.path.normpath(path)] = None
        if not inner:
            continue
        # What cannot be opened leads nowhere.
        with contextlib.suppress(OSError), opened(path) as other:
            more = [step for step in _steps(other, inner) if step not in seen]
            waiting += more
            seen.update(more)
    found.pop(os.path.abspath(file.filename), None)
    return list(found)


def _steps(file: Any, name: str, softly: int = 0) -> list[Step]:
    """Return where a dataset is read from, one step further; nothing if that is the file itself."""
    h5py = require("h5py", "images")
    item = file
    parts = [part for part in name.split("/") if part]
    for number, part in enumerate(parts, 1):
        link = item.get(part, getlink=True) if isinstance(item, h5py.Group) else None
        rest = "/".join(parts[number:])
        if isinstance(link, h5py.ExternalLink):
            return [(_place(file, link.filename), f"{link.path}/{rest}")]
        if isinstance(link, h5py.SoftLink):
            target = posixpath.join(item.name, link.path, rest)
            return _steps(file, target, softly + 1) if softly < _MOST else []
        if link is None:
            return []
        item = item.get(part)
    return list(dict.fromkeys(_sources(item))) if isinstance(item, h5py.Dataset) else []


def _sources(dataset: Any) -> Iterator[Step]:
    """Yield what a virtual dataset, or one with external storage, is read from."""
    for name, _, _ in dataset.external or ():
        yield _place(dataset.file, name), ""
    for source in dataset.virtual_sources() if dataset.is_virtual else ():
        name, inner = source.file_name, source.dset_name
        if name == ".":
            yield os.path.abspath(dataset.file.filename), inner
        elif "%b" not in name:
            yield _place(dataset.file, name), inner
        else:
            yield from _series(dataset.file, name, inner)


def _series(file: Any, name: str, inner: str) -> Iterator[Step]:
    """Yield a series of files without an end: those that there are."""
    for number in count():
        path = _place(file, name.replace("%b", str(number)))
        if number and not os.path.exists(path):
            return
        yield path, inner.replace("%b", str(number))


def _place(file: Any, name: str) -> str:
    """Return where the library looks: as a file is named, or beside the one that names it."""
    folder = os.path.dirname(os.path.abspath(file.filename))
    path = os.path.join(folder, name)
    beside = os.path.join(folder, os.path.basename(name))
    return beside if os.path.exists(beside) and not os.path.exists(path) else path
