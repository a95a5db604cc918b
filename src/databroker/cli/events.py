"""Events of a run as they come: read once each, and printed as lines of a table."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from ..columns import ALL, to_rows
from ..display.summary import one_line
from ..stores.rows import batches_of
from ..times import clock_time
from .frames import left_out_text, value_text
from .rows import ALWAYS
from .tables import GAP

if TYPE_CHECKING:
    from ..runs.run import Run
    from ..runs.stream.stream import Stream

_NARROWEST = 12
"""How wide a column is at least: what will come is not known."""

_BEGINS = f"{'seq_num':>7}{GAP}{'time':8}"


class Follower:
    """Sees which events of a stream came since it looked last; those before are not read again.

    Parameters
    ----------
    run
        The run.
    stream
        The name of a stream, which need not be there yet.
    fields
        Which fields, as in `Run.table`; None for all.
    """

    def __init__(self, run: Run, stream: str, fields: list[str] | None) -> None:
        self._run = run
        self._stream = stream
        self._fields = fields
        self._seen: dict[str, int] = {}

    def look(self) -> list[dict[str, Any]]:
        """Return the events that came, in order.

        Raises
        ------
        NoSuchField
            The stream has no such field.
        """
        stream = self._run.streams.get(self._stream)
        found = [] if stream is None else self._new_of(stream)
        return sorted(found, key=lambda event: (event["seq_num"], event["time"]))

    def _new_of(self, stream: Stream) -> list[dict[str, Any]]:
        chosen = stream.select(self._fields)
        found: list[dict[str, Any]] = []
        for owner in (descriptor["uid"] for descriptor in stream.descriptors):
            first = self._seen.get(owner, 0)
            for batch in batches_of(self._run.session.store, "event", owner, ALL, first):
                found += to_rows("event", owner, batch)
            self._seen[owner] = first + sum(event["descriptor"] == owner for event in found)
        for event in found:
            if chosen.data is not None:
                data = event["data"]
                event["data"] = {name: data[name] for name in chosen.data if name in data}
            for name, source in chosen.extras.items():
                source.add_to(event, name)
        return found


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
        before = "" if self._widths else self._heading([name for name in row if name not in ALWAYS])
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
