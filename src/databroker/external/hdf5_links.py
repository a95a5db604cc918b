"""The other files that a dataset in an HDF5 file is read from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from typing import Any

from ..extras import require

__all__ = ["linked_files"]


def linked_files(file: Any, dataset: Any, name: str) -> list[str]:
    """Return the files that links, virtual datasets and external storage lead to.

    Parameters
    ----------
    file, dataset
        As h5py has them open.
    name
        Where the dataset was sought in the file.
    """
    home = os.path.abspath(file.filename)
    found = [*_links(file, name), *_sources(dataset)]
    target = os.path.abspath(dataset.file.filename)
    return [path for path in dict.fromkeys([*found, target]) if path != home]


def _links(file: Any, name: str) -> Iterator[str]:
    """Yield the files that links on the way to a dataset lead to."""
    h5py = require("h5py", "images")
    group = file
    for part in name.strip("/").split("/"):
        if not isinstance(group, h5py.Group):
            return
        link = group.get(part, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            yield _place(group, link.filename)
        group = group.get(part)


def _sources(dataset: Any) -> Iterator[str]:
    """Yield the files that a virtual dataset, or one with external storage, is read from."""
    names = [name for name, _, _ in dataset.external or ()]
    if dataset.is_virtual:
        names += [source.file_name for source in dataset.virtual_sources()]
    for name in dict.fromkeys(names):
        if name == ".":
            continue
        if "%b" not in name:
            yield _place(dataset, name)
            continue
        # A series of files without an end: those that there are.
        for number in count():
            path = _place(dataset, name.replace("%b", str(number)))
            if not os.path.exists(path):
                break
            yield path


def _place(item: Any, name: str) -> str:
    """Return where the library looks: as a file is named, or beside the one that names it."""
    folder = os.path.dirname(os.path.abspath(item.file.filename))
    path = os.path.join(folder, name)
    beside = os.path.join(folder, os.path.basename(name))
    return os.path.normpath(beside if os.path.exists(beside) and not os.path.exists(path) else path)
