"""What paths mean: the files at some paths now, and whether there may be others than before."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ..._util.signals import not_from_signal
from ..._util.user_folders import absolute
from ...documents.files.formats import GZIP
from ...errors import InvalidConfiguration, StoreUnavailable

_SETTLED = 0.05
"""Seconds after which the clock of a file system has moved on.

What is put into a folder sooner after a look may leave its time as it is. So a folder that was
changed just before is listed again each time, or for a twentieth of the time if it is large.
"""

_SHARE = 20
_SOON = 0.001  # seconds

_INODE = 2**63 - 1  # bits that a database can hold


class Stamp(NamedTuple):
    """What of a file changes when it does."""

    size: int
    mtime_ns: int
    inode: int


def stamp_of(found: os.stat_result) -> Stamp:
    """Return the stamp of a file that was looked at."""
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino & _INODE)


def stamp_at(path: str) -> Stamp | None:
    """Return the stamp of the file at a path; None if there is none."""
    try:
        found = os.stat(path)
    except not_from_signal(OSError, ValueError):
        return None
    return stamp_of(found) if stat.S_ISREG(found.st_mode) else None


@dataclass(frozen=True)
class _Pattern:
    """Names of files in one folder, or with `whole` a pattern for whole paths."""

    folder: str
    names: re.Pattern[str] | None = None
    whole: str | None = None


@dataclass(slots=True)
class _Folder:
    """How a folder was when its files were listed."""

    mtime_ns: int | None
    listed: float


@dataclass
class Places:
    """The files at some paths: files, folders, and globs.

    Parameters
    ----------
    paths
        Absolute ones.
    suffix
        How the files in a folder end; those that end in '.gz' after it count too.
    loose
        The name of one file more, beside those that are written here.

    Attributes
    ----------
    unreadable
        Folders in which a pattern could not look, when all files were looked at.
    """

    paths: tuple[str, ...]
    suffix: str
    loose: str
    unreadable: set[str] = field(default_factory=set, init=False)
    _folders: dict[str, _Folder] = field(default_factory=dict, init=False)
    _next: float = field(default=0.0, init=False)  # when to list fresh folders again

    @property
    def folder(self) -> str | None:
        """Where new files are put: the folder of the first path; None if that names files."""
        first = self.paths[0]
        if _is_glob(first):
            folder = os.path.dirname(first)
            return None if _is_glob(folder) else folder
        return None if self._is_file(first) else first

    def check(self) -> None:
        """Refuse what is a file, but none of this format."""
        for path in self.paths:
            if os.path.isfile(path) and not self._is_file(path):
                raise InvalidConfiguration(
                    f"'paths': {path} is a file whose name does not end in {self.suffix!r} or "
                    f"{self.suffix + GZIP!r}. Give a folder, or files that do; a pattern ('*') "
                    "may name any."
                )

    def is_seen(self, name: str) -> bool:
        """Tell whether a file of this name in that folder is one of these files."""
        names = next(self._patterns()).names
        return names is not None and names.match(name) is not None

    def look(self) -> dict[str, Stamp]:
        """Return all files, and look at each of them."""
        found: dict[str, Stamp] = {}
        self._folders = {}
        trees = (pattern.whole for pattern in self._patterns() if pattern.whole is not None)
        self.unreadable = set(chain.from_iterable(map(_unreadable_in, trees)))
        for path in self._paths():
            stamp = stamp_at(path)
            if stamp is not None:
                found[path] = stamp
        return found

    def names(self) -> set[str]:
        """Return the paths of all that may be files, without a look at them."""
        self._folders = {}
        begun = time.monotonic()
        found = set(self._paths())
        ended = time.monotonic()
        took = ended - begun
        self._next = ended + _SHARE * took if took > _SOON else 0.0
        return found

    def may_have_others(self) -> bool:
        """Tell whether files may have come or gone since they were listed."""
        is_time = time.monotonic() > self._next
        return any(
            _mtime(path) != known.mtime_ns or (is_time and _is_fresh(known))
            for path, known in self._folders.items()
        )

    def _patterns(self) -> Iterator[_Pattern]:
        for path in self.paths:
            folder, name = os.path.split(path)
            if not _is_glob(path):
                if self._is_file(path):
                    yield _Pattern(folder, re.compile(re.escape(name) + r"\Z"))
                else:
                    ends = re.escape(self.suffix), re.escape(GZIP)
                    yield _Pattern(path, re.compile(r"(?!\.).*{}({})?\Z".format(*ends), re.DOTALL))
            elif _is_glob(folder) or "**" in name:
                yield _Pattern(folder, whole=path)
            else:
                hidden = "" if name.startswith(".") else r"(?!\.)"
                yield _Pattern(folder, re.compile(hidden + fnmatch.translate(name)))

    def _is_file(self, path: str) -> bool:
        return not os.path.isdir(path) and path.endswith((self.suffix, self.suffix + GZIP))

    def _paths(self) -> Iterator[str]:
        for pattern in self._patterns():
            if pattern.whole is not None:
                yield from self._of_tree(pattern.whole)
            elif pattern.names is not None:
                names = filter(pattern.names.match, self._names_in(pattern.folder))
                yield from map(os.path.join(pattern.folder, "").__add__, names)
        if self.folder is not None:
            loose = os.path.join(self.folder, self.loose)
            if os.path.exists(loose):
                yield loose

    def _of_tree(self, pattern: str) -> Iterator[str]:
        for path in glob.iglob(pattern, recursive=True):
            folder = os.path.dirname(path)
            if folder not in self._folders:
                self._folders[folder] = _Folder(_mtime(folder), time.time())
            yield path

    def _names_in(self, folder: str) -> list[str]:
        # The time comes first: what is put there meanwhile makes it another one.
        self._folders[folder] = _Folder(_mtime(folder), time.time())
        try:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except PermissionError as error:
            raise StoreUnavailable(f"The folder {folder} may not be read: {error}") from error


def _is_glob(path: str) -> bool:
    """Tell whether a path is a pattern; of what is there, the name may look like one."""
    return glob.has_magic(path) and not os.path.lexists(path)


def _unreadable_in(pattern: str) -> Iterator[str]:
    """Yield the folders in which a pattern would look, but may not: `glob` is silent about them."""
    parts = pattern.split(os.sep)
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    for number in range(first, len(parts) + (parts[-1] == "**")):
        sought = "".join(parts[number : number + 1])
        is_listed = parts[number - 1] == "**" or glob.has_magic(sought)
        needed = os.X_OK | os.R_OK if is_listed else os.X_OK
        for folder in glob.iglob(os.sep.join([*parts[:number], ""]), recursive=True):
            if not os.access(folder, needed):
                yield folder.rstrip(os.sep) or os.sep


def _mtime(folder: str) -> int | None:
    try:
        return os.stat(folder).st_mtime_ns
    except not_from_signal(OSError):
        return None


def _is_fresh(folder: _Folder) -> bool:
    """Tell whether a folder was changed just before it was listed, or is changed by somebody."""
    return folder.mtime_ns is not None and folder.mtime_ns / 1e9 > folder.listed - _SETTLED


def located(paths: str | os.PathLike[str] | list[str | os.PathLike[str]]) -> tuple[str, ...]:
    """Return paths from the root on, whether one was given or several."""
    several = paths if isinstance(paths, list | tuple) else [paths]
    return tuple(str(absolute(Path(os.fspath(each)))) for each in several)
