"""What a format of files is: documents one after the other, each with its kind."""

from __future__ import annotations

import functools
import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from ..._util.printable import printable, shown
from ..kinds import ACCEPTED
from ..normalise import SCALARS

Doc = dict[str, Any]

EVENTS = frozenset({"event", "event_page", "bulk_events"})
"""The kinds that a run has most of: an index has no use for them."""

CUT_SHORT = "the file ends in the middle of it"
"""What is said of a document at the end of a file."""

GZIP = ".gz"
"""How the name of a compressed file ends."""

_TEXT = frozenset({str})
_CONTAINERS = frozenset({dict, list})
_PLAIN = SCALARS | _CONTAINERS
_DEEP = 50
_LEVELS = 6  # of documents that are known to be plain at first sight

_GZIP_HEADERS = 31  # what zlib must be told to read them, and the checksums


class Item(NamedTuple):
    """A document of a file.

    Attributes
    ----------
    number
        Its place, counted from 1.
    kind, document
        What it is.
    is_plain
        Whether it is known to hold nothing but what JSON has, and not to be nested deeply.
    """

    number: int
    kind: str
    document: Doc
    is_plain: bool = False


class Fault(NamedTuple):
    """What is wrong at a place of a file."""

    number: int
    text: str


@dataclass(slots=True)
class Parsed:
    """What a piece of a file holds.

    Attributes
    ----------
    items
        The documents, but for those that were not asked for.
    consumed
        How many bytes of the piece were understood; the others may be the beginning of a document.
    last
        The number of the last document, or line, in these bytes.
    faults
        What could not be read.
    is_broken
        Whether what comes after a fault cannot be found.
    """

    items: list[Item] = field(default_factory=list)
    consumed: int = 0
    last: int = 0
    faults: list[Fault] = field(default_factory=list)
    is_broken: bool = False


class Format(ABC):
    """How documents are written into files, and read from them.

    Attributes
    ----------
    name
        The name of the driver.
    suffix
        How the names of its files end.
    place
        What people call the place of a document: a line, or a document.
    exact
        As in `Capabilities`.
    has_lines
        Whether a line ends each document, so that what is damaged is told from the next one.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    place: ClassVar[str]
    exact: ClassVar[Literal["exact", "json"]]
    has_lines: ClassVar[bool]

    @abstractmethod
    def encode(self, kind: str, document: Doc) -> bytes:
        """Return the bytes that a document is in a file."""

    def ends(self, byte: bytes) -> bool:
        """Tell whether a document may end with a byte, and another one begin after it."""
        return not self.has_lines or byte == b"\n"

    @abstractmethod
    def parse(
        self, data: bytes, before: int, without: Collection[str] = (), is_all: bool = True
    ) -> Parsed:
        """Read the documents in a piece of a file that begins with one.

        Parameters
        ----------
        data
            The piece.
        before
            How many documents, or lines, come before it in the file.
        without
            Kinds that are not wanted; they are passed over without a closer look.
        is_all
            Whether it is all that the file has, so that what is at its end may be a document.
        """


def checked_pair(pair: Any) -> tuple[str, Doc]:
    """Return a kind and a document, if that is what was read.

    Raises
    ------
    ValueError
        It is something else.
    """
    if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], dict)):
        raise ValueError("it is not a kind and a document")
    if pair[0] not in ACCEPTED:
        raise ValueError(f"{pair[0]!r:.80} is no kind of document")
    return pair[0], pair[1]


def reason(error: Exception) -> str:
    """Return in words why something is no document."""
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON (at character {error.pos + 1}: {error.msg})"
    if isinstance(error, UnicodeDecodeError):
        return f"it is no text in UTF-8 (at byte {error.start + 1})"
    return printable(str(error)) if type(error) is ValueError else shown(error)


def is_plain(value: Any) -> bool:
    """Tell whether a value holds nothing but what JSON has, and is not nested deeply.

    Examples
    --------
    >>> is_plain({"a": [1, {"b": None}]}), is_plain({"a": [1, {"b": b"bytes"}]})
    (True, False)
    """
    waiting, level = [value], 0
    while waiting and level < _DEEP:
        inner: list[Any] = []
        for container in waiting:
            if type(container) is dict:
                if not _TEXT.issuperset(map(type, container)):
                    return False
                container = container.values()
            kinds = set(map(type, container))
            if not kinds <= SCALARS:
                if not kinds <= _PLAIN:
                    return False
                inner += [each for each in container if type(each) in _CONTAINERS]
        waiting, level = inner, level + 1
    return not waiting


@functools.cache
def plain_document() -> Any:
    """Return the type of which a decoder of msgspec takes plain documents, and no others."""
    value: Any = str | int | float | bool | None
    for _ in range(_LEVELS):
        value = str | int | float | bool | None | list[value] | dict[str, value]
    return dict[str, value]


class Decompressed(NamedTuple):
    """What a gzip file holds, as far as it can be read.

    Attributes
    ----------
    data
        What is in it; of a part whose checksum is wrong, nothing.
    whole
        Up to which byte of the file it is whole.
    fault
        What is wrong beyond that; None if only the end is missing, or nothing is.
    """

    data: bytes
    whole: int
    fault: str | None = None


def decompressed(data: bytes) -> Decompressed:
    """Return what a gzip file holds, as far as it can be read."""
    parts, whole, rest = [], 0, data
    while rest.strip(b"\0"):  # zeros may come after it
        stream = zlib.decompressobj(_GZIP_HEADERS)
        try:
            parts.append(stream.decompress(rest))
        except zlib.error as error:
            return Decompressed(b"".join(parts), whole, f"what is compressed is damaged ({error})")
        if not stream.eof:
            return Decompressed(b"".join(parts), whole)
        rest = stream.unused_data
        whole = len(data) - len(rest)
    return Decompressed(b"".join(parts), len(data))
