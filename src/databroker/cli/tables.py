"""The tables that commands print: configurations, runs, and what there is to say of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ..display.summary import facts, one_line

if TYPE_CHECKING:
    from ..config.names import Survey
    from ..display.runs import RunList
    from ..runs.run import Run

__all__ = ["configurations_table", "facts_table", "runs_table", "streams_table"]

_COLOURS = {"success": "green", "running": "blue", "abort": "yellow", "fail": "red"}
_WHOLE = ("scan_id", "uid", "started", "status")
"""Columns of runs of which a part is of no use."""

_LONGEST = 1_000


def configurations_table(surveyed: Mapping[str, Survey]) -> Table:
    """Return the names of configurations, with their description or what is wrong with them."""
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "description"):
        table.add_column(heading, overflow="fold")
    for name, survey in surveyed.items():
        said = Text(one_line(survey.description or "", _LONGEST))
        if survey.fault is not None:
            said = Text(f"broken: {one_line(survey.fault, _LONGEST)}", style="red")
        table.add_row(Text(one_line(name)), said)
    return table


def runs_table(columns: RunList) -> Table:
    """Return one line a run: what is wide is cut, where the terminal is not."""
    table = Table(box=None, pad_edge=False)
    for caption in columns:
        table.add_column(
            caption,
            justify="right" if caption == "scan_id" else "left",
            no_wrap=caption.startswith(_WHOLE),
            overflow="ellipsis",
        )
    for texts in zip(*columns.values(), strict=True):
        cells = zip(columns, texts, strict=True)
        table.add_row(
            *(
                _status(text) if caption == "status" else Text(text, no_wrap=True)
                for caption, text in cells
            )
        )
    return table


def facts_table(header: Run) -> Table:
    """Return what there is to say of a run in a line each."""
    status = _status(header.status)
    if reason := header.stop.get("reason"):
        status.append(f": {one_line(reason)}", style="default")
    known = facts(header.start, header.stop, header.session.zone)
    texts = {fact: Text(value) for fact, value in known.items()}
    rows = {"uid": texts.pop("uid"), "status": status, **texts}
    table = Table.grid(padding=(0, 2))
    for fact, value in rows.items():
        if value:
            table.add_row(Text(fact, style="bold"), value)
    return table


def streams_table(header: Run) -> Table:
    """Return the streams of a run, how many events they have, and their fields."""
    table = Table(box=None, pad_edge=False)
    table.add_column("stream")
    table.add_column("events", justify="right")
    table.add_column("fields")
    for name, stream in header.streams.items():
        fields = one_line(", ".join(stream.fields), _LONGEST)
        table.add_row(Text(one_line(name)), Text(f"{stream.num_events:,}"), Text(fields))
    return table


def _status(word: str) -> Text:
    return Text(word, style=_COLOURS.get(word, ""))
