"""``databroker list``."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from ..display.runs import RunList

__all__ = ["EXAMPLES", "list_runs"]

_WHOLE = ("scan_id", "uid", "started", "status")
"""Columns of which a part is of no use."""

_LONGEST = 1_000

EXAMPLES = """\b
Examples:
  databroker list
  databroker list example
  databroker list example --limit 100
"""


def list_runs(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A configuration.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many runs.")] = 20,
) -> None:
    """List the configurations or, given the NAME of one, its newest runs."""
    if name is None:
        _list_configurations()
    else:
        _list_newest(name, limit)


def _list_configurations() -> None:
    from rich.table import Table
    from rich.text import Text

    from ..config import survey_configs
    from ..display.summary import one_line
    from .common import console

    surveyed = survey_configs()
    if not surveyed:
        typer.echo("There are no configurations yet. 'databroker demo' makes one: 'example'.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "description"):
        table.add_column(heading, overflow="fold")
    for name, found in surveyed.items():
        said = Text(one_line(found.description or "", _LONGEST))
        if found.fault is not None:
            said = Text(f"broken: {one_line(found.fault, _LONGEST)}", style="red")
        table.add_row(Text(one_line(name)), said)
    console().print(table)


def _list_newest(name: str, limit: int) -> None:
    from ..display.runs import list_of_runs
    from .common import console, open_broker

    with open_broker(name) as db:
        headers = iter(db())
        rows = [(header.start, header.status) for header in islice(headers, limit)]
        found = list_of_runs(rows, db.zone)
        more = next(headers, None) is not None
    out = console()
    if not rows:
        out.print(f"The configuration {name!r} has no runs yet.")
        return
    out.print(_table(found))
    if more:
        out.print(f"There are more: these are the newest {len(rows)}. See --limit.")


def _table(found: RunList) -> Table:
    """Return a table with one line a run: what is wide is cut, where the terminal is not."""
    from rich.table import Table
    from rich.text import Text

    from .common import status_text

    table = Table(box=None, pad_edge=False)
    for caption in found:
        table.add_column(
            caption,
            justify="right" if caption == "scan_id" else "left",
            no_wrap=caption.startswith(_WHOLE),
            overflow="ellipsis",
        )
    for texts in zip(*found.values(), strict=True):
        table.add_row(
            *(
                status_text(text) if caption == "status" else Text(text, no_wrap=True)
                for caption, text in zip(found, texts, strict=True)
            )
        )
    return table
