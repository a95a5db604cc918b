"""Whether a batch of rows can be placed: what is asked of documents, asked of columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from ..documents.kinds import IDENTITY
from ..errors import InvalidDocument
from .arrow import UUID, Column, from_arrow
from .batches import column_of, stretches
from .names import SEQ_NUM, TIME

_DICTIONARIES = {"event": ("data", "timestamps"), "datum": ("datum_kwargs",), "stream_datum": ()}


def check_batch(kind: str, batch: pa.RecordBatch) -> None:
    """Raise unless each row has what its kind needs.

    Identities are texts, times of events finite numbers, seq_nums integers of 64 bits; and what
    must be a dictionary is one. Other values are not looked at.

    Raises
    ------
    InvalidDocument
        Says which column, and what it must hold.

    Examples
    --------
    >>> from databroker.columns import from_rows
    >>> check_batch("datum", from_rows("datum", [{"datum_id": 5, "datum_kwargs": {}}]))
    Traceback (most recent call last):
    databroker.errors.InvalidDocument: A batch of datum rows: 'datum_id' must be texts ...
    """
    _require(kind, batch, IDENTITY[kind], _are_texts, "texts that are not empty")
    if kind == "event":
        _require(kind, batch, TIME, _are_finite, "finite numbers of seconds since 1970")
        _require(kind, batch, SEQ_NUM, _are_integers, "integers below 2**63")
    for shape, _ in stretches(batch):
        found = {key[0] for key in shape if not isinstance(key, str)}
        for key in _DICTIONARIES[kind]:
            if key not in found:
                raise InvalidDocument(f"A batch of {kind} rows: {key!r} must be dictionaries.")


def _require(
    kind: str, batch: pa.RecordBatch, name: str, fits: Callable[[Column], bool], need: str
) -> None:
    column = column_of(batch, name)
    if column is None or not fits(column):
        raise InvalidDocument(f"A batch of {kind} rows: {name!r} must be {need} in each row.")


def _are_texts(column: Column) -> bool:
    if UUID in column.metadata and column.exact is None and not column.array.null_count:
        return True
    return all(type(value) is str and value for value in from_arrow(column))


def _are_finite(column: Column) -> bool:
    if _is_plain(column, pa.float64()):
        return bool(np.isfinite(column.array.to_numpy()).all())
    return all(
        (type(value) is int and abs(value) < 1e300) or (type(value) is float and np.isfinite(value))
        for value in from_arrow(column)
    )


def _are_integers(column: Column) -> bool:
    return _is_plain(column, pa.int64())


def _is_plain(column: Column, kind: pa.DataType) -> bool:
    return column.exact is None and column.array.type == kind and not column.array.null_count
