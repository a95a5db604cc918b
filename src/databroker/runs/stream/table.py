"""Columns of a stream as a pandas DataFrame."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...columns import Selection, assemble
from ...columns.names import SEQ_NUM, TIME, nested
from .dataset import variable_names
from .fields import FieldSelection, data_keys
from .gather import Request, gather
from .rows import Chunk, EventSource, chunks, joint_order
from .times import clock, to_datetime64

Array = np.ndarray[Any, Any]


def make_table(
    store: EventSource,
    descriptors: Sequence[Mapping[str, Any]],
    selection: FieldSelection,
    *,
    convert_times: bool,
    timezone: str | datetime.tzinfo | None,
) -> pd.DataFrame:
    """Return the rows of one stream as a table.

    The index is ``seq_num``; the first column is ``time``, then the data keys
    in the order of the descriptors, then values of configuration, start and stop.
    """
    owners = [descriptor["uid"] for descriptor in descriptors]
    names = data_keys(descriptors) if selection.data is None else selection.data
    parts = list(chunks(store, owners, Selection(frozenset(names))))
    if not parts:
        return _empty(descriptors, names, selection, convert_times, timezone)
    columns = {name: nested("data", name) for name in names}
    batches = [batch for part in parts for batch in part.batches]
    arrays = assemble(batches, [SEQ_NUM, TIME, *columns.values()])
    for name, source in selection.extras.items():
        arrays[name] = _repeated(parts, source.values)
    order = joint_order(parts)
    if order is not None:
        arrays = {name: array[order] for name, array in arrays.items()}
    index = pd.Index(arrays[SEQ_NUM], name="seq_num", copy=False)
    data: dict[str, Any] = {"time": _stamps(arrays[TIME], index, convert_times, timezone)}
    shown = variable_names([*columns, *selection.extras])
    for name, column in columns.items():
        data[shown[name]] = _series(arrays[column], index)
    for name in selection.extras:
        data[shown[name]] = _series(arrays[name], index)
    return _frame(data, index, convert_times, timezone)


def frame_of(
    request: Request, *, convert_times: bool, timezone: str | datetime.tzinfo | None
) -> pd.DataFrame:
    """Return what is requested as a table; values that are times are converted, as `time` is."""
    gathered = gather(request)
    index = pd.Index(gathered.seq_num, name="seq_num", copy=False)
    data: dict[str, Any] = {"time": _stamps(gathered.time, index, convert_times, timezone)}
    names = variable_names([each.name for each, _ in gathered.values])
    for each, values in gathered.values:
        if each.stamps and values.dtype.kind in "iuf":
            data[names[each.name]] = _stamps(values, index, convert_times, timezone)
        else:
            data[names[each.name]] = _series(_cells(values), index)
    return _frame(data, index, convert_times, timezone)


def no_table() -> pd.DataFrame:
    """Return the table of a stream that there is not."""
    return pd.DataFrame(index=pd.RangeIndex(0, name="seq_num"))


def _frame(
    data: Mapping[str, Any],
    index: pd.Index,
    convert: bool,
    timezone: str | datetime.tzinfo | None,
) -> pd.DataFrame:
    """Return columns as a table that says what its times are: naive ones do not show it."""
    frame = pd.DataFrame(data, index=index, copy=False)
    frame.attrs["time"] = clock(convert, timezone)
    return frame


def _cells(values: Array) -> Array:
    """Return an array with one element a row."""
    if values.ndim == 1:
        return values
    cells = np.empty(len(values), object)
    for row, value in enumerate(values):
        cells[row] = value
    return cells


def _stamps(
    seconds: Array, index: pd.Index, convert: bool, timezone: str | datetime.tzinfo | None
) -> Any:
    if not convert:
        return pd.Series(np.asarray(seconds, np.float64), index=index, copy=False)
    stamps = pd.DatetimeIndex(to_datetime64(seconds), copy=False)
    if timezone is not None:
        stamps = stamps.tz_localize("UTC").tz_convert(timezone)
    return pd.Series(stamps, index=index, copy=False)


def _series(values: Array, index: pd.Index) -> Any:
    # Objects are said to be objects: pandas would look through them for text.
    if values.dtype == object:
        return pd.Series(values, index=index, dtype=object, copy=False)
    return pd.Series(values, index=index, copy=False)


def _repeated(parts: Sequence[Chunk], values: Mapping[str, Any]) -> Array:
    """Return one value for each row, by its descriptor; typed where all are scalars of a type."""
    sizes = [
        (owner, batch.num_rows)
        for part in parts
        for owner, batch in zip(part.owners, part.batches, strict=True)
    ]
    out = np.empty(sum(size for _, size in sizes), object)
    place = 0
    for owner, size in sizes:
        value = values.get(owner)
        for row in range(place, place + size):  # a slice would spread a list over the rows
            out[row] = value
        place += size
    types = {type(values.get(owner)) for owner, _ in sizes}
    if types not in _TYPED:
        return out
    try:
        return out.astype(next(iter(types)))
    except OverflowError:  # an integer beyond 64 bits
        return out


_TYPED: tuple[set[type], ...] = ({float}, {bool}, {int})
_DECLARED = {"number": np.float64, "integer": np.float64, "boolean": np.bool_}


def _empty(
    descriptors: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    selection: FieldSelection,
    convert_times: bool,
    timezone: str | datetime.tzinfo | None,
) -> pd.DataFrame:
    """Return the table of a stream without events, whose columns are typed as declared."""
    index = pd.Index(np.empty(0, np.int64), name="seq_num")
    data: dict[str, Any] = {"time": _stamps(np.empty(0), index, convert_times, timezone)}
    for name in [*names, *selection.extras]:
        declared = [doc["data_keys"][name] for doc in descriptors if name in doc["data_keys"]]
        scalar = declared and not declared[0].get("shape")
        dtype = _DECLARED.get(declared[0].get("dtype"), object) if scalar else object
        data[name] = pd.Series(np.empty(0, dtype), index=index, dtype=dtype)
    return _frame(data, index, convert_times, timezone)
