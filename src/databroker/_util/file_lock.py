"""A lock on an open file, which other processes respect and no crash leaves behind."""

from __future__ import annotations

import errno
from typing import Any

from .signals import from_signal

fcntl: Any
msvcrt: Any
try:
    import fcntl
except ImportError:  # on Windows
    import msvcrt

    fcntl = None

_BEYOND = 2**31 - 2  # Windows keeps others from what is locked: a byte that few files have
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def try_lock(file: Any) -> bool:
    """Lock an open file until it is closed; tell whether nobody else has it.

    Raises
    ------
    OSError
        This file system knows no locks.
    """
    try:
        if fcntl is not None:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            file.seek(_BEYOND)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno not in _HELD or from_signal(error):
            raise
        return False
    return True


def unlock(file: Any) -> None:
    """Give up the lock on an open file, also for processes that were forked meanwhile."""
    if fcntl is not None:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
