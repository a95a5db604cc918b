"""The events of a stream as records: what they hold, exactly, a row each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from ..external.fields.filling import external_fields

if TYPE_CHECKING:
    from ..runs.stream.stream import Stream

ALWAYS = ("seq_num", "time")
"""What each row begins with."""


def columns_of(stream: Stream, fields: list[str] | None) -> list[str]:
    """Return the columns of rows: what each has, then the fields, then what stands beside events.

    Raises
    ------
    NoSuchField
        A name is that of nothing.
    """
    chosen = stream.select(fields)
    data = stream.fields if chosen.data is None else chosen.data
    return list(dict.fromkeys([*ALWAYS, *data, *chosen.extras]))


def rows_of(stream: Stream, fields: list[str] | None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a stream in order; few of them are in memory at a time.

    What only refers to data in files is given as it is stored.
    """
    if "stream" in external_fields(stream.descriptors).values():
        # No event has such a field: what it refers to is found for all rows together.
        frame = stream.table(fields, convert_times=False)
        columns = [frame.index, *(frame[name] for name in frame)]
        names = ["seq_num", *map(str, frame)]
        return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
    return map(row_of, stream.events(fields))


def row_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as a row.

    Examples
    --------
    >>> row_of({"uid": "e", "seq_num": 1, "time": 0.5, "data": {"det": 2}})
    {'seq_num': 1, 'time': 0.5, 'det': 2}
    """
    always = {name: event[name] for name in ALWAYS}
    return {**always, **event["data"], **always}  # whatever a field is called


def parts(rows: Iterator[dict[str, Any]], ends: tuple[int, int] | None) -> Iterable[dict[str, Any]]:
    """Yield so many of the first and of the last rows; all of them, if it is not said.

    Examples
    --------
    >>> rows = ({"seq_num": n} for n in range(9))
    >>> [row["seq_num"] for row in parts(rows, (2, 1))]
    [0, 1, 8]
    """
    if ends is None:
        return rows
    head, tail = ends
    first = list(islice(rows, head))
    return chain(first, deque(rows, tail) if tail else ())
