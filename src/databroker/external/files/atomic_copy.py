"""One file copied so that, whatever happens, its copy is whole or is not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ..._util.file_lock import try_lock
from ..._util.signals import not_from_signal, suppressed
from ...errors import CopyDiffers, CopyFailed, CopyRefused, DatabrokerError

_BLOCK = 2**20

PART = ".databroker-part"
"""How the name of a copy ends while it grows: as that of no data does."""


def copy_file(old: str, new: str, verify: bool = True) -> bool:
    """Copy one file, unless it is there already; return whether it was copied.

    The copy appears under its name when it is complete, with the times of the original.
    Nothing is ever overwritten.
    """
    try:
        if os.path.lexists(new):
            if not is_copy(old, new, verify):
                raise CopyRefused(f"{old} is not copied: there is another file already at {new}.")
            return False
        os.makedirs(os.path.dirname(new) or ".", exist_ok=True)
        with _exclusive(new + PART) as target:
            _write_copy(old, new, target, verify)
    except DatabrokerError:
        raise
    except not_from_signal(OSError) as error:
        problem = error.strerror or str(error)
        failed = CopyFailed(
            f"{old} cannot be copied to {new}: {problem}. Nothing half is left there; copying "
            "again goes on with this file."
        )
        failed.errno = error.errno
        raise failed from error
    return True


def is_copy(old: str, new: str, verify: bool = True) -> bool:
    """Tell whether a file is a copy of another one.

    To verify is to compare what is in them where their size and time are the same. Where the
    times differ, it is compared anyway: images often have all one size.
    """
    if not os.path.isfile(new):
        return False
    first, second = os.stat(old), os.stat(new)
    if os.path.samestat(first, second):
        return True
    if first.st_size != second.st_size:
        return False
    if not verify and first.st_mtime_ns == second.st_mtime_ns:
        return True
    return _checksum(old) == _checksum(new)


def sync_folders(paths: Iterable[str]) -> None:
    """See to it that the names of new files survive a failure of the machine, too."""
    for folder in {os.path.dirname(path) for path in paths}:
        # Not every system opens folders; the files themselves are safe already.
        with suppressed(OSError):
            number = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def _write_copy(old: str, new: str, target: BinaryIO, verify: bool) -> None:
    """Write a copy, look at it, and give it its name."""
    part = new + PART
    checksum = copy_bytes(old, target)
    if verify and _checksum(part) != checksum:
        raise CopyDiffers(f"The copy of {old} at {new} has another checksum. Is the disk sound?")
    with suppressed(OSError):  # not every disk keeps times and rights
        shutil.copystat(old, part)
    if os.path.lexists(new):
        raise CopyRefused(f"{old} is not copied: meanwhile there is another file at {new}.")
    if os.name == "nt":
        target.close()  # an open file cannot be renamed there
    os.rename(part, new)


def copy_bytes(old: str, target: BinaryIO) -> bytes:
    """Write all that is in a file; return its checksum."""
    read = hashlib.sha256()
    for block in blocks(old):
        read.update(block)
        target.write(block)
    target.flush()
    os.fsync(target.fileno())
    return read.digest()


def blocks(path: str) -> Iterator[bytes]:
    """Yield all that is in a file; raise in the end if it changed meanwhile."""
    with open(path, "rb") as source:
        before = os.fstat(source.fileno())
        while block := source.read(_BLOCK):
            yield block
        after = os.fstat(source.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise CopyDiffers(f"{path} changed while it was copied. Is it still being written?")


@contextlib.contextmanager
def _exclusive(part: str) -> Iterator[BinaryIO]:
    """Open the file in which a copy grows for this process alone; it goes if anything fails."""
    # What another process may be writing is not cut off before it is known to be left over.
    with open(part, "ab") as file:
        if not _is_locked(file) or not _is_at(file, part):
            raise CopyRefused(f"Another process is just making this copy: {part}.")
        try:
            file.truncate(0)
            yield file
        except BaseException:
            with suppressed(OSError):
                os.unlink(part)
            raise


def _is_locked(file: BinaryIO) -> bool:
    """Lock a file for this process; tell whether no other one has."""
    with suppressed(OSError):  # not every disk knows locks
        return try_lock(file)
    return True


def _is_at(file: BinaryIO, path: str) -> bool:
    """Tell whether an open file still has its name: a process that was ahead may be done."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _checksum(path: str) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
