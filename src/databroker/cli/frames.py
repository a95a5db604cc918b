"""A table as text, fitted to the terminal: each row stays one line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..display.summary import one_line

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_text"]

_ROWS = 60
"""A longer table is shown by its ends."""

_END = 10
"""So many rows of each end."""

_LONGEST = 32
"""Where the text of a value is cut."""

_WIDE = 20
"""Wider columns, of text and of references to files, yield to others."""

_GAP = "  "


@dataclass(frozen=True)
class _Column:
    """A column as text: what stands above it and, below that, in each row."""

    texts: list[str]

    @cached_property
    def width(self) -> int:
        return max(map(_width, self.texts))

    def lines(self) -> Iterator[str]:
        """Yield the texts, all as wide as the widest."""
        for text in self.texts:
            yield " " * (self.width - _width(text)) + text

    def cut(self, width: int) -> _Column:
        """Return the column, at most so wide."""
        return _Column([one_line(text, width) for text in self.texts])


def frame_text(frame: pd.DataFrame, width: int) -> str:
    """Return a table with the column `time`, which is aware of its zone, as lines of text.

    A line below it says of which day and zone the times are, and what had no
    room: the middle rows of a long table, and columns that are too wide.

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
    import pandas as pd

    whole = len(frame) <= _ROWS
    shown = frame if whole else pd.concat([frame.iloc[:_END], frame.iloc[-_END:]])
    index = [str(frame.index.name or ""), *map(str, shown.index)]
    margin = max(map(_width, index))
    times, note = _times(shown["time"])
    kept, left_out = _fitting(shown, times, width - margin)
    rows = [_GAP.join(cells) for cells in zip(*(each.lines() for each in kept), strict=True)]
    lines = [
        f"{'':{margin}}{_GAP}{rows[0]}",
        index[0],
        *(f"{name:{margin}}{_GAP}{row}" for name, row in zip(index[1:], rows[1:], strict=True)),
    ]
    notes = [note]
    if not whole:
        lines.insert(2 + _END, "...")
        notes.append(f"These are the first and last {_END} of {len(frame):,} rows.")
    if left_out:
        notes.append(f"Left out, as there is no room: {_listed(left_out)}.")
    # The longest lines of a pipe are as long as there is anything to say.
    wrapped = [part for note in filter(None, notes) for part in textwrap.wrap(note, max(width, 20))]
    return "\n".join([*lines, *wrapped])


def _fitting(shown: pd.DataFrame, times: _Column, width: int) -> tuple[list[_Column], list[str]]:
    """Return the columns that fit, and the names of the others: the long ones, if need be."""
    columns = {name: _column(name, shown[name]) for name in shown.columns[1:]}
    kept: dict[str, _Column] = {}
    room = width - times.width - 2 * len(_GAP)
    for name in sorted(columns, key=lambda name: columns[name].width > _WIDE):
        if columns[name].width <= room:
            kept[name] = columns[name]
            room -= columns[name].width + len(_GAP)
    if not kept and columns:  # or a very long name could never be seen
        first = next(iter(columns))
        kept[first] = columns[first].cut(max(room, 1))
    in_order = [kept[name] for name in columns if name in kept]
    return [times, *in_order], [name for name in columns if name not in kept]


def _times(stamps: pd.Series[Any]) -> tuple[_Column, str]:
    """Return stamps as short as they can be, and what is true of all of them."""
    known = stamps.dropna()
    zones = "/".join(dict.fromkeys(str(stamp.tzname()) for stamp in known))
    days = known.dt.date.unique()
    if len(days) == 1:
        texts = [f"{stamp:%H:%M:%S.%f}"[:-3] if stamp == stamp else "" for stamp in stamps]
        return _Column(["time", *texts]), f"The times are of {days[0]} {zones}."
    texts = [f"{stamp:%Y-%m-%d %H:%M:%S}" if stamp == stamp else "" for stamp in stamps]
    return _Column(["time", *texts]), f"The times are in {zones}." if zones else ""


def _column(name: str, values: pd.Series[Any]) -> _Column:
    if values.dtype == object:
        texts = list(map(_text, values))
    else:
        texts = [text.strip() for text in values.to_string(header=False, index=False).split("\n")]
    return _Column([one_line(name), *texts])


def _text(value: Any) -> str:
    shape = getattr(value, "shape", ())
    text = one_line(value, _LONGEST)
    # The first few numbers of an array tell less than what it is.
    if shape and text.endswith("…"):
        return f"{' x '.join(map(str, shape))} {getattr(value, 'dtype', '')}".strip()
    return text


def _listed(names: Iterable[str], most: int = 20) -> str:
    names = list(names)
    first = ", ".join(one_line(name, 60) for name in names[:most])
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{first}{more}. Choose columns with --fields"


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
