"""``databroker list``."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from ..broker import Broker

__all__ = ["EXAMPLES", "list_runs"]

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

    from ..config import describe_configs
    from .common import console

    described = describe_configs()
    if not described:
        typer.echo("There are no configurations yet. 'databroker demo' makes one: 'example'.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "description"):
        table.add_column(heading)
    for name, description in described.items():
        table.add_row(Text(name), Text(description or ""))
    console().print(table)


def _list_newest(name: str, limit: int) -> None:
    from .common import console, open_broker

    with open_broker(name) as db:
        table, shown, more = _runs(db, limit)
    out = console()
    if not shown:
        out.print(f"The configuration {name!r} has no runs yet.")
        return
    out.print(table)
    if more:
        out.print(f"There are more: these are the newest {shown}. See --limit.")


def _runs(db: Broker, limit: int) -> tuple[Table, int, bool]:
    from rich.table import Table
    from rich.text import Text

    from .. import times
    from ..display.summary import devices, one_line, plan, sample
    from .common import status_text

    table = Table(box=None, pad_edge=False)
    for heading in ("scan_id", "uid", "started", "plan", "devices", "sample", "status"):
        table.add_column(
            heading,
            justify="right" if heading == "scan_id" else "left",
            # In a narrow terminal the words wrap; half a uid is of no use.
            no_wrap=heading not in ("plan", "devices", "sample"),
            overflow="ellipsis",
        )
    headers = iter(db())
    shown = 0
    for header in islice(headers, limit):
        start = header.start
        table.add_row(
            Text(one_line(start.get("scan_id", ""), 12)),
            Text(one_line(header.uid)[:8]),
            Text(times.format_time(start["time"], db.zone)),
            *(Text(fact(start)) for fact in (plan, devices, sample)),
            status_text(header.status),
        )
        shown += 1
    return table, shown, next(headers, None) is not None
