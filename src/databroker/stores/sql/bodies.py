"""Stored bytes with a checksum, so that what a disk changed is found before it is believed.

A *body* is an encoded value and four bytes more: a checksum of it and of the
other columns of its row. So a row that was changed anywhere, or that stands
where another one belongs, is not taken for one that we wrote.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from ..._util.lazy import lazy_module
from ...documents.encode import decode, encode
from ...errors import StoreDamaged

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_module("numpy")

_BYTES = 4
_LONG = 16_384
_SPAN = 128  # words of 8 bytes


def checksum(data: bytes | memoryview, start: int = 0) -> int:
    """Return 32 bits that are others when a bit of the data is.

    It is the CRC-32 of short data. Of long data, it is that of the sums of
    each KiB: ten times as fast, since NumPy adds as fast as memory is read.
    """
    if len(data) < _LONG:
        return zlib.crc32(data, start)
    spans = len(data) // (8 * _SPAN)
    words = np.frombuffer(data, "<u8", spans * _SPAN).reshape(spans, _SPAN)
    rest = memoryview(data)[8 * _SPAN * spans :]
    return zlib.crc32(rest, zlib.crc32(words.sum(axis=1), start))


def pack_body(value: Any, *columns: Any) -> bytes:
    """Return the body of a row, whose other columns are given as they will be read."""
    data = encode(value)
    return data + checksum(data, _of_columns(columns)).to_bytes(_BYTES, "little")


def open_body(body: Any, columns: tuple[Any, ...], what: str, name: Any = "") -> Any:
    """Return the value in a body, if nothing of its row was changed since it was written."""
    return decode(intact_body(body, columns, what, name))


def intact_body(body: Any, columns: tuple[Any, ...], what: str, name: Any = "") -> memoryview:
    """Return the encoded value in a body, if nothing of its row was changed."""
    if type(body) is bytes and len(body) > _BYTES:
        data = memoryview(body)[:-_BYTES]
        stored = int.from_bytes(body[-_BYTES:], "little")
        if checksum(data, _of_columns(columns)) == stored:
            return data
    raise StoreDamaged(
        f"The {what}{f' {name!r}' if name != '' else ''} is damaged: it is not as it was written "
        "(its checksum does not fit). What is not damaged can still be read."
    )


def _of_columns(columns: tuple[Any, ...]) -> int:
    # SQLite does not keep the sign of a zero.
    plain = [value + 0.0 if type(value) is float else value for value in columns]
    return zlib.crc32(encode(plain))
