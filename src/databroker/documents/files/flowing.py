"""Documents of a file, or of a pipe, as they come: whatever they are written in."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from io import BufferedReader
from typing import NamedTuple, Protocol

from .formats import CUT_SHORT, Fault, Item, Parsed
from .json_values import JSONValues
from .jsonl import JSONLines
from .packed import Packed

_PIECE = 2**22  # bytes that are parsed at once
_BLOCK = 2**16  # bytes that are decompressed at once
_GZIP = b"\x1f\x8b"
_GZIP_HEADERS = 31  # what zlib must be told to read them, and the checksums


class Parser(Protocol):
    """What reads documents of bytes, as a `Format` does."""

    @property
    def place(self) -> str:
        """What people call the place of a document."""

    def parse(
        self, data: bytes, before: int, without: Collection[str] = (), is_all: bool = True
    ) -> Parsed:
        """Read the documents in a piece of a file."""


class Found(NamedTuple):
    """A document of a file, or what is wrong at a place of it, and what such a place is called."""

    place: str
    what: Item | Fault


def flow(file: BufferedReader) -> Iterator[Found]:
    """Yield the documents of a file as they come, and what cannot be read.

    JSON lines, other JSON and MessagePack are told by their first bytes, and gzip of each.
    """
    pieces, parser, rest, last = _pieces(file), None, b"", 0
    problem = CUT_SHORT
    is_all = False
    while not is_all:
        try:
            piece = next(pieces, b"")
        except zlib.error as error:
            piece, problem = b"", f"what is compressed is damaged ({error})"
        rest, is_all = rest + piece, not piece
        parser = parser or parser_of(rest)
        parsed = parser.parse(rest, last, (), is_all)
        found: list[Item | Fault] = [*parsed.items, *parsed.faults]
        for what in sorted(found, key=lambda each: each.number):
            yield Found(parser.place, what)
        if parsed.is_broken:
            return
        rest, last = rest[parsed.consumed :], parsed.last
    if rest.strip() or problem != CUT_SHORT:
        yield Found(parser.place if parser else "byte", Fault(last + 1, problem))


def parser_of(data: bytes) -> Parser:
    """Return what reads documents that begin with some bytes.

    Examples
    --------
    >>> [type(parser_of(data)).__name__ for data in (b'["start", {', b'[["start", {', b"[{", b"?")]
    ['JSONLines', 'JSONValues', 'JSONValues', 'Packed']
    """
    begin = data[:_BLOCK].split(maxsplit=1)
    first = b"".join(begin)[:2]
    if first == b'["':
        return JSONLines()
    return JSONValues() if first[:1] in (b"[", b"{") else Packed()


def _pieces(file: BufferedReader) -> Iterator[bytes]:
    """Yield what is in a file, decompressed."""
    if file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP:
        yield from _decompressed(file)
        return
    while piece := file.read(_PIECE):
        yield piece


def _decompressed(file: BufferedReader) -> Iterator[bytes]:
    stream = zlib.decompressobj(_GZIP_HEADERS)
    while block := file.read(_BLOCK):
        while block.strip(b"\0") or not stream.eof:  # zeros may come after it
            if stream.eof:
                stream = zlib.decompressobj(_GZIP_HEADERS)
            if data := stream.decompress(block):
                yield data
            block = stream.unused_data
            if not stream.eof:
                break
    if not stream.eof:
        raise zlib.error("its end is missing")
