"""Reading a file on from where it was read to, and telling whether that can be."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ...documents.files.formats import CUT_SHORT, GZIP, Fault, Format, Parsed, decompressed
from .places import Stamp, stamp_of

PIECE = 2**24
"""Bytes that are read at once."""

_MARK = 64  # bytes
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
        The bytes just before that.
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
        return self._at(read_to - len(position.mark), read_to) == position.mark

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
    position.read_to += parsed.consumed
    position.last = parsed.last
    if parsed.consumed:
        position.mark = data[max(0, parsed.consumed - _MARK) : parsed.consumed]
    return parsed
