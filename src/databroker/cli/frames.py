"""A table as text, fitted to the terminal: each row stays one line."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len

from ..display.summary import one_line
from .folding import folded
from .rows import Ends, parts_of
from .tables import GAP, padded, width_of

if TYPE_CHECKING:
    import pandas as pd

    from ..runs.stream.stream import Stream

_ROWS = 60
"""A longer table is shown by its ends."""

_ENDS = (10, 10)
"""So many rows of each end."""

_LONGEST = 32
"""Where the text of a value is cut."""

_WIDE = 20
"""Wider columns, of text and of references to files, yield to others."""

Column = list[str]
"""What stands above a column, then its texts; all are as wide as the widest."""


class Cut(NamedTuple):
    """What a table is of: the first and the last of so many rows."""

    head: int
    tail: int
    rows: int

    def __str__(self) -> str:
        if self.head == self.tail:
            ends = f"the first and last {self.head}"
        else:
            each = {"first": self.head, "last": self.tail}
            ends = " and ".join(f"the {end} {rows}" for end, rows in each.items() if rows)
        return f"These are {ends} of {self.rows:,} rows."


def stream_text(
    stream: Stream,
    fields: list[str] | None,
    zone: datetime.tzinfo,
    width: int,
    ends: Ends | None = None,
) -> str:
    """Return a stream as lines of text; of a long one, its ends, and no other rows are read."""
    from ..runs.stream.table import stacked

    rows = stream.num_events
    if ends is None and rows > _ROWS:
        ends = _ENDS
    parts = parts_of(rows, ends)
    frame = stacked([stream.table(fields, timezone=zone, rows=part) for part in parts])
    cut = Cut(*ends, rows) if ends and sum(ends) < rows else None
    return frame_text(frame, width, cut)


def frame_text(frame: pd.DataFrame, width: int, cut: Cut | None = None) -> str:
    """Return a table with the column `time`, which is aware of its zone, as lines of text.

    A line below it says of which day and zone the times are, and what had no
    room: rows that the table is cut of, and columns that are too wide.

    Examples
    --------
    >>> import pandas as pd
    >>> time = pd.to_datetime([0, 1500], unit="ms", utc=True)
    >>> index = pd.Index([1, 2], name="seq_num")
    >>> frame = pd.DataFrame({"time": time, "det": [0.5, 0.25], "note": "x" * 30}, index=index)
    >>> print(frame_text(frame, 40))
                     time   det
    seq_num
    1        00:00:00.000  0.50
    2        00:00:01.500  0.25
    The times are of 1970-01-01 UTC.
    Left out, as there is no room: note. Choose
    columns with --fields.
    """
    index = [str(frame.index.name or ""), *map(str, frame.index)]
    margin = width_of(index)
    times, note = _times(frame["time"])
    kept, left_out = _fitting(frame, times, width - margin)
    captions, *rows = (GAP.join(cells) for cells in zip(*kept, strict=True))
    lines = [
        f"{'':{margin}}{GAP}{captions}",
        index[0],
        *(f"{name:{margin}}{GAP}{row}" for name, row in zip(index[1:], rows, strict=True)),
    ]
    notes = [note]
    if cut is not None:
        lines.insert(2 + cut.head, "...")
        notes.append(str(cut))
    if left_out:
        notes.append(f"Left out, as there is no room: {left_out_text(left_out)}.")
    # The longest lines of a pipe are as long as there is anything to say.
    wrapped = [part for note in filter(None, notes) for part in folded(note, max(width, 20))]
    return "\n".join([*lines, *wrapped])


def _fitting(shown: pd.DataFrame, times: Column, width: int) -> tuple[list[Column], list[str]]:
    """Return the columns that fit, and the names of the others: the long ones, if need be."""
    columns = {name: _column(one_line(name), _texts(shown[name])) for name in shown.columns[1:]}
    widths = {name: cell_len(column[0]) for name, column in columns.items()}
    kept: dict[str, Column] = {}
    room = width - cell_len(times[0]) - 2 * len(GAP)
    for name in sorted(columns, key=lambda name: widths[name] > _WIDE):
        if widths[name] <= room:
            kept[name] = columns[name]
            room -= widths[name] + len(GAP)
    if not kept and columns:  # or a very long name could never be seen
        name, (caption, *texts) = next(iter(columns.items()))
        most = max(room, 1)
        kept[name] = _column(one_line(caption, most), [one_line(text, most) for text in texts])
    in_order = [kept[name] for name in columns if name in kept]
    return [times, *in_order], [name for name in columns if name not in kept]


def _times(stamps: pd.Series[Any]) -> tuple[Column, str]:
    """Return stamps as short as they can be, and what is true of all of them."""
    known = stamps.dropna()
    zones = "/".join(dict.fromkeys(str(stamp.tzname()) for stamp in known))
    days = known.dt.date.unique()
    if len(days) == 1:
        texts = [f"{stamp:%H:%M:%S.%f}"[:-3] if stamp == stamp else "" for stamp in stamps]
        return _column("time", texts), f"The times are of {days[0]} {zones}."
    texts = [f"{stamp:%Y-%m-%d %H:%M:%S}" if stamp == stamp else "" for stamp in stamps]
    return _column("time", texts), f"The times are in {zones}." if zones else ""


def _column(caption: str, texts: Sequence[str]) -> Column:
    return padded([caption, *texts], right=True)


def _texts(values: pd.Series[Any]) -> list[str]:
    if values.dtype == object:
        return list(map(value_text, values))
    return [text.strip() for text in values.to_string(header=False, index=False).split("\n")]


def value_text(value: Any) -> str:
    """Return a value as a short text; of a large array, what it is."""
    shape = getattr(value, "shape", ())
    text = one_line(value, _LONGEST)
    # The first few numbers of an array tell less than what it is.
    if shape and text.endswith("…"):
        return f"{' x '.join(map(str, shape))} {getattr(value, 'dtype', '')}".strip()
    return text


def left_out_text(names: Iterable[str], most: int = 20) -> str:
    """Return the names of columns that had no room, and what can be done."""
    names = list(names)
    first = ", ".join(one_line(name, 60) for name in names[:most])
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{first}{more}. Choose columns with --fields"
