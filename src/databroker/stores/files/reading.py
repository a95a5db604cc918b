"""Reading a file on from where it was read to, and telling whether that can be."""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ...documents.files.formats import CUT_SHORT, GZIP, Fault, Format, Parsed, decompressed
from .places import Stamp, stamp_of

PIECE = 2**24
"""Bytes that are read at once."""

_HEAD, _END = 2**14, 64
"""Bytes at the beginning of a file, and before a place, by which one sees that it only grew."""

_SUM = 4  # bytes of a checksum
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)


@dataclass
class Position:
    """How far a file was read.

    Attributes
    ----------
    read_to
        Up to which byte.
    last
        The number of the last document, or line, before that.
    mark
        A checksum of the first bytes of the file, and then the bytes just before that place.
    """

    read_to: int = 0
    last: int = 0
    mark: bytes = b""


class OpenFile:
    """A file that is read, as it is at one moment: what is added meanwhile is left for later."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = os.open(path, _FLAGS)
        try:
            self.stamp = stamp_of(os.fstat(self._file))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        os.close(self._file)

    def goes_on(self, known: Stamp, position: Position) -> bool:
        """Tell whether it only grew since it was as is known."""
        if self.stamp == known:
            return True
        size, read_to = self.stamp.size, position.read_to
        if self.path.endswith(GZIP) or self.stamp.inode != known.inode or size < read_to:
            return False
        if size == known.size == read_to:
            return False  # written again
        head, end = position.mark[:_SUM], position.mark[_SUM:]
        return not head or (
            self._at(read_to - len(end), read_to) == end
            and _sum_of(self._at(0, min(read_to, _HEAD))) == head
        )

    def parse(
        self, format: Format, position: Position, without: Collection[str] = ()
    ) -> Iterator[Parsed]:
        """Yield what comes after a position, piece by piece, and move the position on."""
        if self.path.endswith(GZIP):
            yield self._parse_compressed(format, position, without)
            return
        begin, rest = position.read_to, b""
        while begin < self.stamp.size:
            piece = self._at(begin, min(begin + PIECE, self.stamp.size))
            if not piece:
                return
            begin += len(piece)
            data = rest + piece if rest else piece
            is_all = begin >= self.stamp.size
            parsed = _moved(position, format.parse(data, position.last, without, is_all), data)
            yield parsed
            if parsed.is_broken:
                return
            rest = data[parsed.consumed :]

    def _parse_compressed(
        self, format: Format, position: Position, without: Collection[str]
    ) -> Parsed:
        """Return what is in a compressed file, which is always read as a whole."""
        data, whole, fault = decompressed(self._at(0, self.stamp.size))
        parsed = _moved(position, format.parse(data, 0, without), data)
        position.read_to = whole
        if fault is not None:
            parsed.faults.append(Fault(position.last + 1, fault))
        elif whole == self.stamp.size and parsed.consumed < len(data) and not parsed.faults:
            parsed.faults.append(Fault(position.last + 1, CUT_SHORT))
        return parsed

    def _at(self, begin: int, end: int) -> bytes:
        os.lseek(self._file, begin, os.SEEK_SET)
        data = os.read(self._file, end - begin)
        while len(data) < end - begin and (more := os.read(self._file, end - begin - len(data))):
            data += more
        return data


def _moved(position: Position, parsed: Parsed, data: bytes) -> Parsed:
    end = parsed.consumed
    if end:
        of_head = data[: min(end, max(0, _HEAD - position.read_to))]
        head = _sum_of(of_head, position.mark[:_SUM])
        position.mark = head + data[max(0, end - _END) : end]
    position.read_to += end
    position.last = parsed.last
    return parsed


def _sum_of(data: bytes, before: bytes = b"") -> bytes:
    """Return the checksum of data that come after some others."""
    return zlib.crc32(data, int.from_bytes(before, "little")).to_bytes(_SUM, "little")
