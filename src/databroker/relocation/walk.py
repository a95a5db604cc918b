"""Files looked for in folders, by their names and by the folders that they are in."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

from .._util.signals import from_signal, suppressed
from ..errors import NoSuchFolder
from ..external.locate import path_parts

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
        except OSError as error:  # it may not be read, or has just gone
            if from_signal(error):
                raise
            continue
        done += 1
        if progress is not None:
            progress(done, folder)
        matches += [entry.path for entry in inside if entry.name in names]
        for entry in inside:
            if _is_folder(entry):
                (linked if entry.is_symlink() else waiting).append(entry.path)
    return matches


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


def _checked(folder: str | os.PathLike[str]) -> str:
    path = os.path.abspath(os.path.expanduser(os.fspath(folder)))
    if not os.path.isdir(path):
        raise NoSuchFolder(f"There is no folder {path} to look in.")
    return path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with suppressed(OSError):
        return entry.is_dir()
    return False
