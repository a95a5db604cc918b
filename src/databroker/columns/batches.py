"""Rows of documents (events, datum documents, ...) to Arrow batches and back, exactly.

A batch has a column for each key of the documents, one level into their
dictionaries. Which keys each row had, and in which order, is its *shape*; the
shapes stand once in the batch's metadata, and a column says which row has
which, where there is more than one.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa

from ..documents.encode import decode, encode
from ..documents.kinds import LISTS, NESTED, OWNER
from ..documents.typed_list import TypedList
from . import names
from .arrow import Column, from_arrow, to_arrow

Row = dict[str, Any]
Shape = tuple[Any, ...]
"""Keys in order; a key whose value is a dictionary of columns comes as [key, [keys]]."""

_SHAPES = b"shapes"


def from_rows(
    kind: str, rows: Sequence[Row], wanted: Container[str] | None = None
) -> pa.RecordBatch:
    """Return documents of one kind and one owner as a batch.

    Examples
    --------
    >>> event = {"descriptor": "d", "uid": "e", "seq_num": 1, "time": 2.0,
    ...          "data": {"det": 5}, "timestamps": {"det": 2.0}}
    >>> batch = from_rows("event", [event])
    >>> batch.schema.names
    ['uid', 'seq_num', 'time', 'data/det', 'timestamps/det']
    >>> to_rows("event", "d", batch) == [event]
    True
    """
    shape = _shape(rows[0], NESTED[kind])
    alike = _alike(rows, shape, OWNER[kind])
    if alike is not None:
        return _batch(_of_these(alike, wanted), [shape], [0] * len(rows))
    columns, shapes, marks = _unlike(kind, rows)
    return _batch(_of_these(columns, wanted), shapes, marks)


def from_series(kind: str, series: Sequence[Sequence[Row]]) -> list[pa.RecordBatch]:
    """Return the rows of several owners as a batch for each, as `from_rows` would.

    Short series that are alike are made together, and cut: a column costs most of its time
    whatever its length.
    """
    alike: dict[Shape, list[int]] = {}
    for place, rows in enumerate(series):
        alike.setdefault(_shape(rows[0], NESTED[kind]), []).append(place)
    batches: dict[int, pa.RecordBatch] = {}
    for places in alike.values():
        whole = from_rows(kind, [row for place in places for row in series[place]])
        first, is_even = 0, len(places) == 1 or _is_even(whole)
        for place in places:
            rows = series[place]
            part = whole.slice(first, len(rows)) if is_even else from_rows(kind, rows)
            batches[place], first = part, first + len(rows)
    return [batches[place] for place in range(len(series))]


def _is_even(batch: pa.RecordBatch) -> bool:
    """Tell whether each column has values of one type, so that any part of it has the same type."""
    return not any(
        field.name[0] in "!#" or (column.null_count and field.type != pa.null())
        for field, column in zip(batch.schema, batch.columns, strict=True)
    )


def _alike(rows: Sequence[Row], shape: Shape, owner_key: str) -> dict[str, Sequence[Any]] | None:
    """Return the columns of rows that all have the same keys in the same order, or None."""
    if set(map(tuple, rows)) != {tuple(rows[0])}:
        return None
    columns: dict[str, Sequence[Any]] = {}
    for key in shape:
        if not isinstance(key, tuple):
            column = TypedList(map(itemgetter(key), rows))
            if dict in column.types:
                return None
            if key != owner_key:
                columns[names.top(key)] = column
            continue
        outer, inners = key
        inside = TypedList(map(itemgetter(outer), rows))
        if inside.types != {dict} or set(map(tuple, inside)) != {inners}:
            return None
        for inner in inners:
            columns[names.nested(outer, inner)] = list(map(itemgetter(inner), inside))
    return columns


def _unlike(
    kind: str, rows: Sequence[Row]
) -> tuple[dict[str, Sequence[Any]], list[Shape], list[int]]:
    """Return the columns of rows that differ in their keys, the shapes, and which a row has."""
    nested = NESTED[kind]
    shapes: dict[Shape, int] = {}
    marks = [shapes.setdefault(_shape(row, nested), len(shapes)) for row in rows]
    columns: dict[str, Sequence[Any]] = {}
    for shape in shapes:
        for key in shape:
            if isinstance(key, tuple):
                outer, inners = key
                for inner in inners:
                    name = names.nested(outer, inner)
                    if name not in columns:
                        columns[name] = _nested_column(rows, outer, inner)
            elif key != OWNER[kind] and names.top(key) not in columns:
                columns[names.top(key)] = [
                    None if key in nested and isinstance(row.get(key), dict) else row.get(key)
                    for row in rows
                ]
    return columns, list(shapes), marks


def from_page(kind: str, page: Row) -> pa.RecordBatch:
    """Return a page of documents as a batch, without making the single documents."""
    lists = LISTS[f"{kind}_page"]
    rows = len(page[lists[0]])
    columns: dict[str, Sequence[Any]] = {}
    shape: list[Any] = []
    for key, value in page.items():
        if key in NESTED[kind] and isinstance(value, dict):
            shape.append((key, tuple(value)))
            columns.update((names.nested(key, inner), column) for inner, column in value.items())
            continue
        shape.append(key)
        if key != OWNER[kind]:
            columns[names.top(key)] = value if key in lists else [value] * rows
    return _batch(columns, [tuple(shape)], [0] * rows)


def from_columns(
    columns: Mapping[str, Sequence[Any] | pa.Array], shapes: list[Shape], marks: Sequence[int]
) -> pa.RecordBatch:
    """Return columns that are read from elsewhere as a batch.

    Parameters
    ----------
    columns
        Values by the names of their columns; Arrow arrays of simple types are taken as they are.
    shapes
        Which keys rows have, in order: a key whose value is a dictionary of columns as a pair of
        the key and its keys.
    marks
        Of each row, which of the shapes it has.
    """
    return _batch(columns, shapes, marks)


def to_rows(kind: str, owner: str, batch: pa.RecordBatch) -> list[Row]:
    """Return the documents of a batch.

    Where only some of the columns were read, the documents have only those.
    """
    shapes = decode(batch.schema.metadata[_SHAPES])
    columns = {name: from_arrow(column) for name, column in split(batch).items()}
    marks = columns.pop(names.SHAPE, None)
    makers = [_maker(shape, columns, OWNER[kind], owner) for shape in shapes]
    if marks is None:
        return [makers[0](row) for row in range(batch.num_rows)]
    return [makers[mark](row) for row, mark in enumerate(marks)]


def stretches(batch: pa.RecordBatch) -> Iterator[tuple[Any, pa.RecordBatch]]:
    """Yield the rows that follow each other and have the same keys, after these keys.

    Keys come as a shape: a list in which a dictionary of columns is its key and its keys.
    """
    shapes = decode(batch.schema.metadata[_SHAPES])
    places = batch.schema.get_all_field_indices(names.SHAPE)
    if not places:
        yield shapes[0], batch
        return
    marks = batch.column(places[0]).to_numpy()
    begins = [0, *(np.flatnonzero(np.diff(marks)) + 1).tolist(), len(marks)]
    for first, stop in pairwise(begins):
        if first < stop:
            yield shapes[marks[first]], batch.slice(first, stop - first)


def split(batch: pa.RecordBatch) -> dict[str, Column]:
    """Return the columns of a batch by name, each with its exact values beside it."""
    places = {name: place for place, name in enumerate(batch.schema.names)}
    return {
        name: _column_at(batch, place, places.get(names.exact(name), -1))
        for name, place in places.items()
        if name[:1] != "!"
    }


def values_of(batch: pa.RecordBatch, name: str) -> list[Any]:
    """Return the values of one column that a batch has."""
    column = column_of(batch, name)
    if column is None:
        raise KeyError(name)
    return from_arrow(column)


def column_of(batch: pa.RecordBatch, name: str) -> Column | None:
    """Return one column with its exact values beside it, or None if the batch lacks it."""
    place, beside = map(batch.schema.get_field_index, (name, names.exact(name)))
    return None if place < 0 else _column_at(batch, place, beside)


def _column_at(batch: pa.RecordBatch, place: int, beside: int) -> Column:
    """Return a column by its place and that of its exact values, below 0 if it has none."""
    metadata = batch.schema.field(place).metadata or {}
    return Column(batch.column(place), metadata, None if beside < 0 else batch.column(beside))


def nested_values(batch: pa.RecordBatch, outer: str, key: str, absent: Any = None) -> list[Any]:
    """Return one value of a dictionary of each row; `absent` where a row does not have it."""
    columns = split(batch)
    shapes = decode(batch.schema.metadata[_SHAPES])
    has = [
        any(type(each) is list and each[0] == outer and key in each[1] for each in shape)
        for shape in shapes
    ]
    column = columns.get(names.nested(outer, key))
    if column is None or not any(has):
        return [absent] * batch.num_rows
    values = from_arrow(column)
    if all(has):
        return values
    marks = from_arrow(columns[names.SHAPE])
    return [value if has[mark] else absent for value, mark in zip(values, marks, strict=True)]


def select(batch: pa.RecordBatch, columns: Container[str] | None) -> pa.RecordBatch:
    """Return a batch with only some of its columns (those that it has); None means all.

    One column always stays: a batch without columns would have no rows.
    """
    if columns is None:
        return batch
    return batch.select(some(batch.schema.names, columns))


def is_wanted(name: str, columns: Container[str] | None) -> bool:
    """Tell whether a stored column is needed to read some columns.

    Needed are the columns themselves, the exact values beside them, and the shape.
    """
    return columns is None or name.removeprefix("!") in columns or name == names.SHAPE


def _of_these(
    columns: dict[str, Sequence[Any]], wanted: Container[str] | None
) -> dict[str, Sequence[Any]]:
    if wanted is None:
        return columns
    return {name: columns[name] for name in some(list(columns), wanted)}


def some(columns: Sequence[str], wanted: Container[str]) -> Sequence[str]:
    """Return the columns that are needed to read wanted ones: at least one of them."""
    return [name for name in columns if is_wanted(name, wanted)] or columns[:1]


def concatenate(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch | None:
    """Return several batches as one, or None where their columns are not alike."""
    schema = batches[0].schema
    if not all(schema.equals(batch.schema, check_metadata=True) for batch in batches[1:]):
        return None
    table = pa.Table.from_batches(batches, schema).combine_chunks()
    return table.to_batches()[0]


def gathered(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of batches in fewer: alike ones that follow each other, of so many bytes."""
    some: list[pa.RecordBatch] = []
    found = 0
    for batch in batches:
        found += batch.nbytes
        if some and (found > size or not some[0].schema.equals(batch.schema, check_metadata=True)):
            yield some[0] if len(some) == 1 else concatenate(some)
            some, found = [], batch.nbytes
        some.append(batch)
    if some:
        yield some[0] if len(some) == 1 else concatenate(some)


def _shape(row: Row, nested: Iterable[str]) -> Shape:
    return tuple(
        (key, tuple(value)) if key in nested and type(value) is dict else key
        for key, value in row.items()
    )


def _nested_column(rows: Sequence[Row], outer: str, inner: str) -> list[Any]:
    return [
        inside.get(inner) if isinstance(inside := row.get(outer), dict) else None for row in rows
    ]


def _batch(
    columns: Mapping[str, Sequence[Any] | pa.Array], shapes: list[Shape], marks: Sequence[int]
) -> pa.RecordBatch:
    fields, arrays = [], []
    for name, values in columns.items():
        is_typed = isinstance(values, pa.Array)
        array, metadata, exact = Column(values, {}, None) if is_typed else to_arrow(values)
        fields.append(pa.field(name, array.type, metadata=metadata or None))
        arrays.append(array)
        if exact is not None:
            fields.append(pa.field(names.exact(name), exact.type))
            arrays.append(exact)
    if len(shapes) > 1:
        array = pa.array(np.array(marks, np.int32))
        fields.append(pa.field(names.SHAPE, array.type))
        arrays.append(array)
    schema = pa.schema(fields, metadata={_SHAPES: encode(shapes)})
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _maker(shape: Any, columns: dict[str, list[Any]], owner_key: str, owner: str) -> Any:
    """Return a function that makes the document of one row."""
    parts: list[tuple[str, Any]] = []
    for key in shape:
        if isinstance(key, list):
            outer, inners = key
            pairs = [(inner, columns.get(names.nested(outer, inner))) for inner in inners]
            read = [(inner, values) for inner, values in pairs if values is not None]
            parts.append((outer, read))
        elif key == owner_key:
            parts.append((key, owner))
        elif names.top(key) in columns:
            parts.append((key, (columns[names.top(key)],)))

    def make(row: int) -> Row:
        document: Row = {}
        for key, source in parts:
            if type(source) is list:
                document[key] = {inner: values[row] for inner, values in source}
            else:
                document[key] = source if type(source) is str else source[0][row]
        return document

    return make
