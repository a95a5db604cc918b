"""HDF5 files opened for reading, and never kept locked."""

from __future__ import annotations

from typing import Any

from ..._util.signals import from_signal, suppressed
from ...extras import require

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None

__all__ = ["opened_hdf5"]


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
        except OSError as error:
            if from_signal(error):
                raise
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
