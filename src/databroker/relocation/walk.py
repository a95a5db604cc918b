"""Files looked for in folders, by their names."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Container, Iterable
from typing import Any

from .._util.signals import not_from_signal, suppressed
from ..errors import NoSuchFolder

Progress = Callable[[int, str], Any]
"""Is called for each folder with how many have been looked through, and its path."""


def look_through(
    folders: Iterable[str | os.PathLike[str]],
    names: Container[str],
    progress: Progress | None = None,
) -> list[str]:
    """Return the paths of the files and folders, at any depth, that have one of some names.

    Links are followed, but no folder is looked through twice. One that may not be read is
    passed over; one of those to look in that is not there is an error.
    """
    waiting = deque(map(_checked, folders))
    matches = [folder for folder in waiting if os.path.basename(folder) in names]
    linked: deque[str] = deque()
    seen: set[tuple[int, int]] = set()
    done = 0
    while waiting or linked:
        # Links come last: a folder is best called by its own name.
        folder = waiting.popleft() if waiting else linked.popleft()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except not_from_signal(OSError):  # it may not be read, or has just gone
            continue
        done += 1
        if progress is not None:
            progress(done, folder)
        matches += [entry.path for entry in inside if entry.name in names]
        for entry in inside:
            if _is_folder(entry):
                (linked if entry.is_symlink() else waiting).append(entry.path)
    return matches


def _checked(folder: str | os.PathLike[str]) -> str:
    path = os.path.abspath(os.path.expanduser(os.fspath(folder)))
    if not os.path.isdir(path):
        raise NoSuchFolder(f"There is no folder {path} to look in.")
    return path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with suppressed(OSError):
        return entry.is_dir()
    return False
