"""The events of a stream as columns: from the tables and arrays of a Tiled server.

The writer keeps events as rows of a table with the columns ``seq_num``, ``time``, one for each
field and one for its timestamp, ``ts_<field>``. Arrays of more than a few elements are beside it,
with a row for each event that has the field. To which of several descriptors a row belongs is
known by its time alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...columns.batches import from_columns
from ...columns.names import SEQ_NUM, TIME, UID, nested
from ...errors import StoreUnavailable
from .owner import Owner
from .server import Server
from .streams import Array, parts_of
from .tables import fetched, there

if TYPE_CHECKING:
    from ...columns import Selection

Numbers = np.ndarray[Any, Any]

_STAMP = "ts_"
_BYTES = ("format", "application/octet-stream")
_JSON = ("format", "application/json")


class Events:
    """The events of one descriptor, as they are now."""

    def __init__(self, server: Server, owner: Owner) -> None:
        self._server = server
        self._owner = owner
        self._parts = parts_of(server, owner.path)

    @property
    def _columns(self) -> list[str]:
        names = (name for table in self._parts.tables for name in table.schema.names)
        return [name for name in names if name not in (SEQ_NUM, TIME)]

    @property
    def fields(self) -> list[str]:
        """The fields whose values events have, those of arrays last."""
        columns = self._columns
        stamps = {_STAMP + name for name in columns}
        held = [name for name in columns if name not in stamps]
        # The timestamps of fields whose values are in arrays are in the table.
        arrays = [name for name in self._parts.arrays if _STAMP + name in columns]
        return [name for name in held if name.removeprefix(_STAMP) not in arrays] + arrays

    def seq_nums(self) -> Numbers:
        """Return the seq_num of each event."""
        return self._column(SEQ_NUM, np.int64)

    def times(self) -> Numbers:
        """Return the time of each event."""
        return self._column(TIME, np.float64)

    def _column(self, name: str, dtype: Any) -> Numbers:
        # Only the times tell whose a row is, if there are several descriptors.
        whose = [] if self._owner.is_alone else [TIME]
        tables = self._parts.tables
        counted = [table.counted for table in tables] if len(tables) > 1 else []
        columns = self._fetched([name, *whose, *counted])
        if name not in columns:
            return np.empty(0, dtype)
        return np.asarray(columns[name], dtype)[self._mine(columns)]

    def _fetched(self, names: Sequence[str]) -> dict[str, pa.Array]:
        """Return those of some columns that tables have, with so many rows as all of them have.

        While a run goes on, the tables of a wide stream grow one after the other.
        """
        columns = fetched(self._server, self._parts, [*dict.fromkeys(names)])
        rows = min(map(len, columns.values()), default=0)
        return {name: column.slice(0, rows) for name, column in columns.items()}

    def _mine(self, columns: Mapping[str, pa.Array]) -> Numbers:
        """Return the numbers of the rows of the table that are events of the descriptor."""
        rows = min(map(len, columns.values()), default=0)
        if self._owner.is_alone:
            return np.arange(rows)
        times = np.asarray(columns[TIME], np.float64)
        chosen = np.ones(rows, bool)
        if self._owner.since is not None:
            chosen &= times >= self._owner.since
        if self._owner.until is not None:
            chosen &= ~(times >= self._owner.until)
        return np.flatnonzero(chosen)

    def read(self, selection: Selection, first: int, stop: int) -> pa.RecordBatch | None:
        """Return a range of rows as a batch; None if there are none."""
        fields = self.fields
        data = [name for name in fields if nested("data", name) in selection]
        stamped = [name for name in fields if nested("timestamps", name) in selection]
        names = [SEQ_NUM, TIME, *data, *(_STAMP + name for name in stamped)]
        columns = self._fetched(names)
        rows = self._mine(columns)[first:stop]
        if not len(rows):
            return None
        values: dict[str, Any] = {
            name: self._array_column(self._parts.arrays[name], columns, name, rows)
            for name in data
            if name in self._parts.arrays
        }
        taken = {name: column.take(pa.array(rows)) for name, column in columns.items()}
        batch: dict[str, Any] = {}
        if selection.others:
            batch[UID] = self._uids(np.asarray(columns[SEQ_NUM], np.int64), rows)
        batch |= {TIME: _plain(taken[TIME]), SEQ_NUM: _plain(taken[SEQ_NUM])}
        batch |= {
            nested("data", name): values[name] if name in values else _plain(taken[name])
            for name in data
            if name in values or name in taken
        }
        stamps = {name: taken[_STAMP + name] for name in stamped if _STAMP + name in taken}
        batch |= {nested("timestamps", name): _plain(column) for name, column in stamps.items()}
        shapes, marks = _shapes(fields, taken, stamps)
        return from_columns(batch, shapes, marks)

    def _uids(self, seq_nums: Numbers, rows: Numbers) -> list[str]:
        """Return uids as Tiled's own export makes them, told apart where a seq_num comes again."""
        seen: dict[int, int] = {}
        names = []
        for number in seq_nums[: rows[-1] + 1].tolist():
            seen[number] = seen.get(number, 0) + 1
            again = f"-{seen[number]}" if seen[number] > 1 else ""
            names.append(f"event-{self._owner.uid}-{number}{again}")
        return [names[row] for row in rows]

    def _array_column(
        self, array: Array, columns: Mapping[str, pa.Array], name: str, rows: Numbers
    ) -> list[Any]:
        """Return the values of some events that are in an array."""
        stamps = columns.get(_STAMP + name)
        if stamps is None and len(columns[TIME]) != array.shape[0]:
            stamps = fetched(self._server, self._parts, [_STAMP + name]).get(_STAMP + name)
        has = np.ones(len(columns[TIME]), bool)
        if stamps is not None and len(columns[TIME]) != array.shape[0]:
            has = np.asarray(stamps.is_valid())
        places = (np.cumsum(has) - 1)[rows]
        places[~has[rows] | (places >= array.shape[0])] = -1
        known = places[places >= 0]
        if not len(known):
            return [None] * len(rows)
        first, stop = int(known.min()), int(known.max()) + 1
        block = read_block(self._server, array, [slice(first, stop)])
        return [None if place < 0 else block[place - first] for place in places.tolist()]


def read_block(server: Server, array: Array, place: Sequence[slice]) -> Any:
    """Return a part of an array; lists where its values differ in length."""
    if array.dtype is None:
        content = server.data("ragged/full", *array.path, params=[_JSON])
        return json.loads(there(content, array.path, server))[place[0]]
    pairs = list(zip(place, array.shape, strict=False))
    ranges = [range(size)[each] for each, size in pairs]
    shape = tuple(map(len, ranges)) + array.shape[len(ranges) :]
    if 0 in shape:
        return np.empty(shape, array.dtype)
    text = ",".join(f"{each.start}:{each.stop}:{each.step}" for each in ranges)
    content = server.data("array/full", *array.path, params=[("slice", text), _BYTES])
    found = np.frombuffer(there(content, array.path, server), array.dtype)
    if found.size != int(np.prod(shape)):
        raise StoreUnavailable(
            f"{server.name}: {'/'.join(array.path)} gave {found.size} elements, and {shape} was "
            "asked for. Is it being written? Try again."
        )
    block = found.reshape(shape)
    return block if array.dtype.kind in "biufc" else block.tolist()


def _plain(column: pa.Array) -> Any:
    """Return a column as our batches have it: simple types, or else Python values.

    Servers keep NaN as null, which a float cannot be.
    """
    if pa.types.is_floating(column.type):
        return pc.fill_null(column.cast(pa.float64()), float("nan"))
    if pa.types.is_integer(column.type) and column.type != pa.uint64():
        return column.cast(pa.int64())
    if pa.types.is_boolean(column.type) or pa.types.is_string(column.type):
        return column
    return column.to_pylist()


def _shapes(
    fields: Sequence[str], taken: Mapping[str, pa.Array], stamps: Mapping[str, pa.Array]
) -> tuple[list[Any], list[int]]:
    """Return which keys rows have, and which of these a row has.

    A row has a field if it has a timestamp of it; where timestamps were not read, all have it.
    """
    has = {name: np.asarray(column.is_valid()) for name, column in stamps.items()}
    uneven = [name for name, valid in has.items() if not valid.all()]
    rows = len(taken[TIME])
    if not uneven:
        return [_shape(fields, frozenset())], [0] * rows
    patterns, marks = np.unique(
        np.stack([has[name] for name in uneven], axis=1), axis=0, return_inverse=True
    )
    missing = [
        frozenset(name for name, there in zip(uneven, pattern, strict=True) if not there)
        for pattern in patterns
    ]
    return [_shape(fields, each) for each in missing], marks.reshape(-1).tolist()


def _shape(fields: Sequence[str], missing: frozenset[str]) -> Any:
    keys = tuple(name for name in fields if name not in missing)
    inner = [(outer, keys) for outer in ("data", "timestamps")]
    return (UID, TIME, SEQ_NUM, *inner, ("filled", ()), "descriptor")
