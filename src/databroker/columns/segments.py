"""A batch as a few blobs, so that reading one field need not read the others' bytes.

Columns are put into *groups*, and each group becomes one Arrow IPC stream; a
small batch is one group, as it is. In larger ones, stamps and counters are
stored as differences: a clock that ticks in seconds since 1970 spends half of
its 64 bits on saying the same thing, and the difference between the bit
patterns of two neighbours fits in 32 bits or less, exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .._util.signals import not_from_signal
from ..errors import StoreDamaged
from . import names
from .batches import select, some

ALL = "all"
"""The one group of a small batch."""

INDEX = "index"
"""The group of what puts rows in order, and of their shapes."""

SMALL = 96 * 1024
"""Batches of fewer bytes are not split: another blob would cost more than it saves."""

_INDEX = (names.TIME, names.SEQ_NUM, names.SHAPE)
_FEW = 8192  # rows which, where more follow, are soon packed again: the quicker way for these
_NARROW = 64  # bytes a row, above which a column has a group of its own
_TOGETHER = 8  # narrow columns in a group
_SPLIT = ("data", "timestamps", "datum_kwargs")  # may have any number of columns
_DELTA = b"delta"
_END = b"\xff\xff\xff\xff\0\0\0\0"  # of an Arrow IPC stream
_STEPS = tuple(
    (kind, np.iinfo(kind).min, np.iinfo(kind).max) for kind in (np.int8, np.int16, np.int32)
)
_WIDE = (pa.float64(), pa.int64())

Stored = tuple[pa.Field, pa.Array]


def part(batch: pa.RecordBatch, columns: list[str], group: str) -> pa.RecordBatch:
    """Return the columns of a group, with the shapes if it is the one that keeps them."""
    if group == ALL:
        return batch
    chosen = batch.select(columns)
    if _shapes_beside(batch.schema.names) not in columns:
        chosen = chosen.replace_schema_metadata()
    return chosen


def pack(part: pa.RecordBatch, group: str) -> memoryview:
    """Return the blob of some columns, which are a group."""
    if group != ALL and not group.startswith("data"):
        part = _each(part, _delta)
    options = pa.ipc.IpcWriteOptions(
        compression=_compression(group, part.num_rows),
        use_threads=False,  # to wake them takes longer than to compress
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, part.schema, options=options) as writer:
        writer.write_batch(part)
    return memoryview(sink.getvalue())


def unpack(blob: bytes, columns: Container[str] | None) -> pa.RecordBatch:
    """Return the columns of a group.

    None stands for all columns; one always comes.
    """
    part = _read(blob, lambda stream: stream.read_next_batch())
    return _each(select(part, columns), _undo_delta)


def head_of(blob: bytes) -> bytes:
    """Return what stands before the rows of a blob: blobs of the same columns have the same."""
    return blob[: 8 + int.from_bytes(blob[4:8], "little")]


def unpack_together(blobs: Sequence[bytes], columns: Container[str] | None) -> pa.RecordBatch:
    """Return the columns of small batches whose blobs have the same head, as one batch."""
    head = head_of(blobs[0])
    rows = (memoryview(blob)[len(head) : -len(_END)] for blob in blobs)
    table = _read(b"".join([head, *rows, _END]), lambda stream: stream.read_all())
    if columns is not None:
        table = table.select(some(table.schema.names, columns))
    return table.combine_chunks().to_batches()[0]


def _read(blob: bytes, what: Callable[[pa.RecordBatchReader], Any]) -> Any:
    try:
        return what(pa.ipc.open_stream(pa.py_buffer(blob)))
    except not_from_signal(pa.ArrowInvalid, OSError, StopIteration) as error:
        raise StoreDamaged(f"A stored block of events cannot be read: {error}") from error


def _each(part: pa.RecordBatch, change: Callable[[pa.Field, pa.Array], Stored]) -> pa.RecordBatch:
    changed = list(map(change, part.schema, part.columns))
    schema = pa.schema([field for field, _ in changed], metadata=part.schema.metadata)
    return pa.RecordBatch.from_arrays([array for _, array in changed], schema=schema)


def beside(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Return batches of the same rows with different columns as one batch."""
    if len(parts) == 1:
        return parts[0]
    metadata: dict[bytes, bytes] = {}
    for part in parts:
        metadata.update(part.schema.metadata or {})
    fields = [field for part in parts for field in part.schema]
    arrays = [array for part in parts for array in part.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata))


def groups(batch: pa.RecordBatch) -> dict[str, list[str]]:
    """Return which columns of a batch are stored together, by the name of the group."""
    # The size of the buffers is known at once; what of them is used has to be counted.
    if batch.get_total_buffer_size() < SMALL or sum(map(_bytes, batch.columns)) < SMALL:
        return {ALL: batch.schema.names}
    found: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        group = kind = _kind(name)
        if kind in _SPLIT and _bytes(array) > _NARROW * len(array):
            group = f"{kind} wide {len(found)}"
        elif kind in _SPLIT:
            group = f"{kind} {counts[kind] // _TOGETHER}"
            counts[kind] += 1
        found.setdefault(group, []).append(name)
    return found


def _bytes(array: pa.Array) -> int:
    try:
        width: int = array.type.bit_width
    except ValueError:  # text, say, of which the bytes have to be counted
        return int(array.nbytes)
    return width * len(array) // 8


def group_of(batch: pa.RecordBatch, columns: Sequence[str]) -> str:
    """Return the kind of group that some columns, which were stored together, are."""
    return _kind(columns[0])


def _kind(column: str) -> str:
    """Return with which others a column may be stored."""
    plain = column.removeprefix("!")
    if plain in _INDEX:
        return INDEX
    return "identity" if plain == names.UID else names.parse(plain)[0] or "rest"


def _shapes_beside(columns: Sequence[str]) -> str:
    """Return the column whose group keeps the shapes: the index has none where datums are alike."""
    return next((name for name in columns if name in _INDEX), columns[0])


def _compression(group: str, rows: int) -> str | None:
    # What a table is made of is stored plain, and uids are random.
    if group in (INDEX, "identity", ALL) or group.startswith("data"):
        return None
    return "lz4" if rows < _FEW else "zstd"


def _delta(field: pa.Field, array: pa.Array) -> Stored:
    if array.type not in _WIDE or array.null_count or len(array) < 2:
        return field, array
    bits = array.to_numpy().view(np.int64)
    steps = bits[1:] - bits[:-1]
    low, high = steps.min(), steps.max()
    for kind, least, most in _STEPS:
        if least <= low and high <= most:
            small = np.zeros(len(bits), kind)
            small[1:] = steps
            first = f"{array.type} {bits[0]}".encode()
            metadata = {**(field.metadata or {}), _DELTA: first}
            stored = pa.array(small)
            return pa.field(field.name, stored.type, metadata=metadata), stored
    return field, array


def _undo_delta(field: pa.Field, array: pa.Array) -> Stored:
    metadata = field.metadata
    if not metadata or _DELTA not in metadata:
        return field, array
    kind, first = metadata[_DELTA].split()
    bits = np.cumsum(array.to_numpy(), dtype=np.int64)
    bits += int(first)
    values: np.ndarray[Any, Any] = bits.view(np.float64) if kind == b"double" else bits
    kept = {key: value for key, value in metadata.items() if key != _DELTA}
    restored = pa.array(values)
    return pa.field(field.name, restored.type, metadata=kept or None), restored
