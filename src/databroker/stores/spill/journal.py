"""A file in which records wait, each with its length and checksum, in the order of their arrival.

It begins with a line of JSON that says whose it is. Of a record that a crash cut off, its writer
never said that it was kept: reading ends before it.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from ..._util.file_lock import try_lock
from ..._util.signals import not_from_signal, suppressed
from ...documents.encode import decode, encode
from ...errors import StoreDamaged

SUFFIX = ".spill"
"""What the names of files end with in which documents wait."""

_FORMAT = "databroker-spill"
_VERSION = 1
_BEGIN = json.dumps({_FORMAT: ""})[:-3].encode()
_HEAD = struct.Struct("<II")  # the length of a body, and its CRC-32
_CHECKED = _HEAD.size + 4  # with the CRC-32 of the head itself
_BATCH = 2**20  # bytes that are read, and sent, at once: whoever inserts may wait for that

Record = tuple[Any, int]
"""What was appended, and the place in the file where it ends."""


class Journal:
    """A file of records that nobody else writes or sends while it is open here.

    Attributes
    ----------
    path
        Where the file is.
    about
        Whose it is, as its writer said.
    place
        Up to where its records are done with.
    """

    def __init__(self, path: Path, file: BinaryIO, sync: bool = False) -> None:
        self.path = path
        self._file = file
        self._sync = sync
        self.about, self.place = _heading(file)

    @classmethod
    def create(cls, path: Path, about: Mapping[str, Any], sync: bool) -> Self:
        """Make a new file, and take it.

        Raises
        ------
        FileExistsError, BlockingIOError
            There is one of this name, or somebody took it just when it had appeared.
        """
        file = path.open("x+b", buffering=0)
        if not _is_ours(file):
            file.close()
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(path))
        file.write(json.dumps({_FORMAT: _VERSION, **about}).encode() + b"\n")
        if sync:
            _sync_folder(path.parent)
        return cls(path, file, sync)

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Open a file that its writer left behind; None if somebody has it.

        Raises
        ------
        OSError
            It is gone, or cannot be locked.
        StoreDamaged
            It is no such file, or one of a newer databroker.
        """
        file = path.open("r+b", buffering=0)
        try:
            # What was removed between the two is another file of this name, or none.
            if try_lock(file) and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return cls(path, file)
        except BaseException:
            file.close()
            raise
        file.close()
        return None

    def append(self, records: Iterable[Any]) -> None:
        """Add records; they survive a crash of this process, or of the machine with ``sync``.

        Raises
        ------
        OSError
            They cannot be written: the disk is full, say. Nothing of them is left then.
        """
        left = memoryview(b"".join(map(_framed, records)))
        end = self._file.seek(0, os.SEEK_END)
        try:
            while left:
                left = left[self._file.write(left) :]
            if self._sync:
                os.fsync(self._file.fileno())
        except BaseException:
            self._file.truncate(end)
            raise

    def batch(self) -> list[Record]:
        """Return the next records that are not done with; none if there are no more.

        Raises
        ------
        StoreDamaged
            The bytes of the next one are not what was written.
        """
        found: list[Record] = []
        with suppressed(StoreDamaged):  # which is told when all before it is done with
            for record in records(self._file, self.place):
                found.append(record)
                if record[1] - self.place >= _BATCH:
                    break
        return found or list(records(self._file, self.place))

    def remove(self) -> None:
        """Remove the file: all of it is done with."""
        # Empty, it is nothing for whoever takes it before its name is gone.
        self._file.truncate(0)
        self.close()
        with suppressed(OSError):  # he removes it
            self.path.unlink()

    def set_aside(self, suffix: str) -> None:
        """Leave the file to people, under a name that says what it is."""
        self.close()
        with suppressed(FileNotFoundError):  # somebody else did
            self.path.rename(self.path.with_suffix(suffix))

    def close(self) -> None:
        """Leave the file to others."""
        self._file.close()


def new_journal(folder: Path, about: Mapping[str, Any], sync: bool) -> Journal:
    """Make a new file in a folder, with a name behind those of all earlier ones."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        with suppressed(FileExistsError, BlockingIOError):
            path = folder / f"{time.time_ns():020d}-{os.getpid()}{SUFFIX}"
            return Journal.create(path, about, sync)


def left_behind(folder: Path) -> list[Path]:
    """Return the files in which documents wait, the oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def read_heading(path: Path) -> dict[str, Any]:
    """Return whose a file is, without taking it."""
    with path.open("rb") as file:
        return _heading(file)[0]


def read_records(path: Path) -> Iterator[Any]:
    """Yield the records of a file, without taking it."""
    with path.open("rb") as file:
        yield from (record for record, _ in records(file, _heading(file)[1]))


def count_records(path: Path) -> int:
    """Return how many records a file has, without taking or reading them."""
    with path.open("rb") as file:
        return sum(1 for _ in _frames(file, _heading(file)[1]))


def records(file: BinaryIO, place: int) -> Iterator[Record]:
    """Yield the records of an open file from a place on, up to what a crash cut off."""
    for begin, checksum, end in _frames(file, place):
        file.seek(begin)
        body = file.read(end - begin)
        try:
            if zlib.crc32(body) != checksum:
                raise ValueError("its checksum is another one")
            record = decode(body)
        except ValueError as error:
            if end < file.seek(0, os.SEEK_END):
                raise _damaged(file, begin) from error
            return
        yield record, end


def _frames(file: BinaryIO, place: int) -> Iterator[tuple[int, int, int]]:
    """Yield where each body begins, its checksum, and where it ends, of all that are whole."""
    size = file.seek(0, os.SEEK_END)
    while size - place > _CHECKED:
        file.seek(place)
        head = file.read(_CHECKED)
        if len(head) < _CHECKED:
            return  # all was sent, and the file emptied, just now
        length, checksum = _HEAD.unpack_from(head)
        if head != _checked(length, checksum):
            if (head + file.read()).strip(b"\0"):
                raise _damaged(file, place)
            return  # room that the machine did not come to fill
        begin, place = place + _CHECKED, place + _CHECKED + length
        if place <= size:
            yield begin, checksum, place


def _framed(record: Any) -> bytes:
    body = encode(record)
    return _checked(len(body), zlib.crc32(body)) + body


def _damaged(file: BinaryIO, place: int) -> StoreDamaged:
    return StoreDamaged(f"{file.name}: the bytes from {place} on are not what was written.")


def _checked(length: int, checksum: int) -> bytes:
    head = _HEAD.pack(length, checksum)
    return head + zlib.crc32(head).to_bytes(4, "little")


def _heading(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return whose a file is, and where its first record begins."""
    file.seek(0)
    line, is_whole, _ = file.read(2**16).partition(b"\n")
    if not is_whole and (_BEGIN.startswith(line[: len(_BEGIN)]) or not line.strip(b"\0")):
        return {}, len(line)  # its writer was killed before it could write more
    with suppressed(ValueError):
        about = json.loads(line)
        if isinstance(about, dict) and about.pop(_FORMAT, None) == _VERSION:
            return about, len(line) + 1
    raise StoreDamaged(f"{file.name} is no file of waiting documents, or of a newer databroker.")


def _is_ours(file: BinaryIO) -> bool:
    try:
        return try_lock(file)
    except not_from_signal(OSError):
        # Nobody can lock it, so nobody takes what he has not made himself.
        return True


def _sync_folder(folder: Path) -> None:
    """See to it that the name of a new file survives a crash of the machine."""
    with suppressed(OSError):  # Windows does not open folders
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
