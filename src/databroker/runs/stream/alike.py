"""Tables of runs that are alike, made as one.

A column of a table has its type by the values of the run alone. So runs share a table only where
each column has values of the same kinds in all of them: the table of any one is then a part of it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from ...columns.arrow import Column
from ...columns.assemble import ValueKind, assemble, kind_of, kinds_of
from ...columns.batches import split
from ...columns.names import SEQ_NUM, TIME, nested
from ...stores.many import Alike
from .layout import Array
from .table import empty_table, table_from


class Joint(NamedTuple):
    """The tables of some runs, one below the other, and how many rows each has."""

    runs: list[str]
    sizes: Array
    table: pd.DataFrame

    def parts(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each run, with its table."""
        ends = np.cumsum(self.sizes)
        for run, first, stop in zip(self.runs, ends - self.sizes, ends, strict=True):
            yield run, self.table.iloc[first:stop]


def joint_tables(
    alike: Alike,
    names: Sequence[str],
    convert_times: bool,
    timezone: str | datetime.tzinfo | None,
) -> tuple[list[Joint], list[str]]:
    """Return tables with some fields, and the runs whose rows are not stored in their order."""
    sizes = np.asarray(alike.sizes, np.intp)
    if alike.batch is None:
        table = empty_table([{"data_keys": alike.data_keys}], names, convert_times, timezone)
        return [Joint(alike.runs, sizes, table)], []
    columns = [TIME, SEQ_NUM, *(nested("data", name) for name in names)]
    owners = np.repeat(np.arange(len(sizes)), sizes)
    disordered = _disordered(alike.batch, owners)
    found = []
    for places in _uniform(alike.batch, columns, sizes, disordered):
        whole = len(places) == len(sizes)
        batch = alike.batch if whole else _taken(alike.batch, np.isin(owners, places))
        arrays = assemble([batch], columns)
        data = dict(zip(names, (arrays[column] for column in columns[2:]), strict=True))
        table = table_from(arrays[TIME], arrays[SEQ_NUM], data, convert_times, timezone)
        found.append(Joint([alike.runs[place] for place in places], sizes[places], table))
    return found, [alike.runs[place] for place in sorted(disordered)]


def _disordered(batch: pa.RecordBatch, owners: Array) -> set[int]:
    seq_nums = assemble([batch], [SEQ_NUM])[SEQ_NUM]
    ordered = (seq_nums[1:] > seq_nums[:-1]).astype(bool)
    wrong = (owners[1:] == owners[:-1]) & ~ordered
    return set(owners[1:][wrong].tolist())


def _uniform(
    batch: pa.RecordBatch, columns: Sequence[str], sizes: Array, without: set[int]
) -> list[list[int]]:
    """Return the places of runs in groups, in which a column has values of the same kinds."""
    stored = split(batch)
    doubtful = [stored[name] for name in columns if name in stored and _may_differ(stored[name])]
    by_kinds: dict[tuple[frozenset[ValueKind], ...], list[int]] = {}
    first = 0
    for place, size in enumerate(sizes.tolist()):
        if place not in without:
            kinds = tuple(_kinds(column, first, size) for column in doubtful)
            by_kinds.setdefault(kinds, []).append(place)
        first += size
    return list(by_kinds.values())


def _may_differ(column: Column) -> bool:
    return column.exact is not None or 0 < column.array.null_count < len(column.array)


def _kinds(column: Column, first: int, size: int) -> frozenset[ValueKind]:
    """Return what kinds of values one run has in a column."""
    array, metadata, exact = column
    beside = None if exact is None else exact.slice(first, size)
    return frozenset(kinds_of(Column(array.slice(first, size), metadata, beside), size, kind_of))


def _taken(batch: pa.RecordBatch, rows: Array) -> pa.RecordBatch:
    return batch.take(pa.array(np.flatnonzero(rows)))
