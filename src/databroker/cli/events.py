"""Events of a run as lines of a table, printed as they come."""

from __future__ import annotations

import datetime
from typing import Any

from ..display.summary import one_line
from ..runs.stream.records import FIRST
from ..times import clock_time
from .frames import left_out_text, value_text
from .tables import GAP

_NARROWEST = 12
"""How wide a column is at least: what will come is not known."""

_BEGINS = f"{'seq_num':>7}{GAP}{'time':8}"


class EventLines:
    """Rows as lines of a table, whose columns are those of the first row for which there is room.

    Examples
    --------
    >>> table = EventLines(datetime.UTC, 60)
    >>> print(table.lines({"seq_num": 1, "time": 5.0, "det": 0.1 + 0.2, "note": "x" * 30}))
    seq_num  time               det          note
          1  00:00:05           0.3  xxxxxxxxxxx…
    >>> print(table.lines({"seq_num": 2, "time": 6.0, "det": 12345.678}))
          2  00:00:06       12345.7
    """

    def __init__(self, zone: datetime.tzinfo, width: int) -> None:
        self._zone = zone
        self._width = width
        self._widths: dict[str, int] = {}

    def lines(self, row: dict[str, Any]) -> str:
        """Return a row as a line; the first one below the captions."""
        before = "" if self._widths else self._heading([name for name in row if name not in FIRST])
        time = clock_time(row["time"], self._zone)[-8:]
        cells = [f"{row['seq_num']:>7}", time]
        for name, width in self._widths.items():
            text = _text(row[name]) if name in row else ""
            cells.append(f"{one_line(text, width):>{width}}")
        return before + GAP.join(cells).rstrip()

    def _heading(self, names: list[str]) -> str:
        """Choose the columns, and return their captions."""
        left = self._width - len(_BEGINS)
        for name in names:
            width = max(len(name), _NARROWEST)
            if width + len(GAP) <= left:
                self._widths[name] = width
                left -= width + len(GAP)
        left_out = [name for name in names if name not in self._widths]
        note = f"Left out, as there is no room: {left_out_text(left_out)}.\n" if left_out else ""
        captions = (f"{one_line(name):>{width}}" for name, width in self._widths.items())
        return f"{note}{GAP.join([_BEGINS, *captions])}\n"


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else value_text(value)
