"""Which process writes a run, and whether it still lives."""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path

from .._util.signals import from_signal
from .base import Activity


def writer_here(last_time: float) -> Activity:
    """Return an activity whose writer is this process."""
    return Activity(last_time, host(), os.getpid(), boot_id())


def writer_lives(writer: Activity) -> bool | None:
    """Tell whether the process that writes a run lives; None where that cannot be known."""
    if writer.pid is None or writer.host != host():
        return None
    if writer.boot_id != boot_id():
        return False
    try:
        os.kill(writer.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and somebody else's
        return True
    return True


@functools.cache
def boot_id() -> str | None:
    """Return what tells one run of this machine from the next, where that is known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError as error:
        if from_signal(error):
            raise
        return None


@functools.cache
def host() -> str:
    """Return the name of this machine."""
    return socket.gethostname()
