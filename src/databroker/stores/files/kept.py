"""The indexes of files that are kept in the user's cache, also those whose files are gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..._util.file_lock import try_lock, unlock
from ..._util.signals import suppressed
from ...errors import ForeignStore, StoreDamaged, StoreUnavailable
from ..sql.file_index import files_of_index
from .home import LAYOUT, cache_folder

_ENDS = ("", "-wal", "-shm")


@dataclass(frozen=True)
class KeptIndex:
    """An index that is kept.

    Attributes
    ----------
    path
        Where it is.
    folders
        Where the files are, or were, that it is of; none if it is empty, or cannot be read.
    is_gone
        Whether none of these folders is there: on a disk that is not connected, perhaps.
    """

    path: Path
    folders: tuple[str, ...]
    is_gone: bool

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        files = [Path(f"{self.path}{end}") for end in _ENDS]
        return sum(file.stat().st_size for file in files if file.exists())

    def remove(self) -> bool:
        """Remove it, unless somebody changes it just now; tell whether it was removed."""
        with self.path.with_suffix(".lock").open("a+b") as lock:
            if not try_lock(lock):
                return False
            for end in _ENDS:
                Path(f"{self.path}{end}").unlink(missing_ok=True)
            unlock(lock)
        return True


def kept_indexes(format: str) -> Iterator[KeptIndex]:
    """Yield the indexes in the user's cache that are of files of a format."""
    for path in sorted(cache_folder().glob(f"{format}-{LAYOUT}-*.db")):
        found: list[str] = []
        with suppressed(StoreDamaged, ForeignStore, StoreUnavailable):
            found = files_of_index(path)
        folders = tuple(sorted({os.path.dirname(file) for file in found}))
        yield KeptIndex(path, folders, not any(map(os.path.isdir, folders)))
