"""Rows that a client sends to be stored: they may take no more memory than they have bytes.

Arrow has several ways to say much with few bytes, and some kilobytes become gigabytes: buffers that
are compressed, dictionaries, runs of one value, views. Rows of ours need none of these.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ..._util.lazy import lazy_module
from ..._util.signals import not_from_signal
from .batches import BATCHES, unpack_batch
from .codecs import Codec, Plain

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = lazy_module("pyarrow")

_DICTIONARY, _ROWS = 2, 3
"""The kinds of messages that have buffers."""


def unpack_untrusted(data: Plain) -> pa.RecordBatch:
    """Return a batch from bytes that somebody sends; see `unpack_batch`.

    Raises
    ------
    ValueError
        They are no batch, or one that takes more memory than it has bytes.
    """
    if _is_compressed(data):
        raise ValueError("rows that are sent must not be compressed")
    batch = unpack_batch(data)
    if batch.num_rows > len(data):
        raise ValueError(f"{batch.num_rows} rows have more than {len(data)} bytes")
    for column in batch.schema:
        if not _is_plain(column.type):
            raise ValueError(f"the column {column.name!r:.80} is of a type that no rows have here")
    return batch


def _is_plain(kind: pa.DataType) -> bool:
    """Tell whether values of a type stand one behind the other, each for itself."""
    types = pa.types
    if types.is_fixed_size_binary(kind):
        return bool(kind.byte_width > 0)
    plain = (
        *(types.is_primitive, types.is_null, types.is_string, types.is_large_string),
        *(types.is_binary, types.is_large_binary),
    )
    return any(is_one(kind) for is_one in plain)


def _is_compressed(data: Plain) -> bool:
    """Tell whether a stream says of some buffers that they are compressed."""
    if not isinstance(data, bytes):
        return False
    try:
        messages = pa.ipc.MessageReader.open_stream(data)
        return any(_says_compressed(each.metadata.to_pybytes()) for each in messages)
    except not_from_signal(pa.ArrowException, OSError, struct.error, IndexError) as error:
        raise ValueError(f"rows are no Arrow IPC stream: {error}") from error


def _says_compressed(metadata: bytes) -> bool:
    """Tell whether a message has the field 'compression', as PyArrow does not."""
    message = _table(metadata, 0)
    kind, header = _field(metadata, message, 1), _field(metadata, message, 2)
    if not kind or metadata[kind] not in (_DICTIONARY, _ROWS):
        return False
    rows = _table(metadata, header)
    if metadata[kind] == _DICTIONARY:
        rows = _table(metadata, _field(metadata, rows, 1))
    return _field(metadata, rows, 3) > 0


def _table(data: bytes, at: int) -> int:
    """Return where a table of FlatBuffers is that a place refers to."""
    offset: int = struct.unpack_from("<I", data, at)[0]
    return at + offset


def _field(data: bytes, table: int, number: int) -> int:
    """Return where a field of a table is; 0 if it is not there."""
    fields = table - struct.unpack_from("<i", data, table)[0]
    size: int = struct.unpack_from("<H", data, fields)[0]
    place = 4 + 2 * number
    offset: int = struct.unpack_from("<H", data, fields + place)[0] if place < size else 0
    return table + offset if offset else 0


UNTRUSTED_BATCHES = Codec(
    "rows: a list of Arrow IPC streams, neither compressed nor with dictionaries in them",
    {"type": "array"},
    BATCHES.pack,
    lambda parts: [unpack_untrusted(part) for part in parts],
)
