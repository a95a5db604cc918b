"""Where the index of some files is kept: in the user's cache, or else in a temporary folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..._util.file_lock import try_lock, unlock
from ..._util.filesystem import is_network_folder
from ..._util.signals import not_from_signal, suppressed
from ..._util.user_folders import absolute, user_cache_dir
from ..._util.user_warnings import warn_user
from ...errors import ForeignStore, StoreDamaged, StoreUnavailable
from ..base import Store
from ..sql.file_index import FileIndex

LAYOUT = 2
"""The version of what an index has; another one has another name."""

_PAUSE = 0.001  # seconds between two tries to take a lock


class Home:
    """The place of an index, and the lock that whoever changes it holds.

    Parameters
    ----------
    format
        The name of the format of the files.
    paths
        What the files are at.
    folder
        Where the index is put: a folder, True for one in the user's cache, False for one that
        is removed at the end.
    """

    def __init__(
        self, format: str, paths: Sequence[str], folder: bool | str | os.PathLike[str] = True
    ) -> None:
        names = "\0".join([format, *paths]).encode("utf-8", "surrogateescape")
        self._name = f"{format}-{LAYOUT}-{hashlib.sha256(names).hexdigest()[:32]}"
        self._remover: weakref.finalize[..., Any] | None = None
        self.folder = self._chosen(folder)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Hold no lock, as in a process that was forked: it is the other one that has it."""
        self._locked: Any = None
        self._depth = 0

    def _chosen(self, folder: bool | str | os.PathLike[str]) -> Path:
        if folder is False:
            return self._temporary()
        wanted = cache_folder() if folder is True else absolute(Path(folder))
        try:
            return _made(wanted)
        except not_from_signal(OSError) as error:
            _warn(str(error))
            return self._temporary()

    def _temporary(self) -> Path:
        folder = tempfile.mkdtemp(prefix="databroker-files-")
        self._remover = weakref.finalize(self, _remove, folder, os.getpid())
        return Path(folder)

    def close(self) -> None:
        """Remove the index, if it is not to be kept."""
        if self._remover is not None:
            self._remover()

    @property
    def path(self) -> Path:
        """Where the index is."""
        return self.folder / f"{self._name}.db"

    def open(self, source: Store) -> FileIndex:
        """Open the index; one that cannot be read is made anew."""
        try:
            return FileIndex(self.path, source)
        except (StoreDamaged, ForeignStore):
            self.remove()
            return FileIndex(self.path, source)
        except not_from_signal(StoreUnavailable, OSError) as error:
            _warn(str(error))
            self.folder = self._temporary()
            return FileIndex(self.path, source)

    def remove(self) -> None:
        """Remove the index."""
        for end in ("", "-wal", "-shm"):
            Path(f"{self.path}{end}").unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from changing the index, or writing into the files."""
        self._depth += 1
        try:
            if self._depth == 1:
                self._lock()
            yield
        finally:
            self._depth -= 1
            try:
                self._unlock()
            finally:  # also if an interrupt struck as that began
                self._unlock()

    def _lock(self) -> None:
        with suppressed(OSError):
            self._locked = (self.folder / f"{self._name}.lock").open("a+b")
            while not try_lock(self._locked):
                time.sleep(_PAUSE)

    def _unlock(self) -> None:
        if self._depth or self._locked is None:
            return
        if not self._locked.closed:
            with suppressed(OSError):
                unlock(self._locked)
            self._locked.close()
        self._locked = None


def cache_folder() -> Path:
    """Return the folder of this user, on a disk of this machine."""
    folder = user_cache_dir()
    if is_network_folder(folder):
        folder = Path(tempfile.gettempdir(), f"databroker-{_user()}")
    return folder / "files"


def _made(folder: Path) -> Path:
    """Return a folder, made if need be, in which nobody else can put anything."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != _user() or folder.is_symlink():
        raise PermissionError(f"{folder} belongs to somebody else")
    folder.chmod(0o700)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} cannot be written to")
    return folder


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _warn(why: str) -> None:
    warn_user(
        f"The index of files cannot be kept, as {why}. It is made anew each time, which takes "
        "longer the more runs there are. Let `index` in the configuration name a folder that "
        "can be written to."
    )


def _remove(folder: str, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
