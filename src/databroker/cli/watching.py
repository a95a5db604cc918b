"""``databroker watch``."""

from __future__ import annotations

import datetime
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING

import click

from .choosing import OptionalRunCommand, fields_option, one_run, stream_of, stream_option
from .opening import open_broker
from .outcome import NO
from .output import say, width
from .queries import listed
from .records import Form, json_option, say_json_line

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..runs.run import Run
    from .run_changes import RunChange

_COLUMNS = ("scan_id", "uid", "started", "plan", "devices", "sample", "events", "status")


@click.command(
    "watch",
    cls=OptionalRunCommand,
    examples=[
        "databroker watch",
        "databroker watch --json",
        "databroker watch -1",
        "databroker watch 8 --fields det,motor --stream primary",
    ],
)
@click.option(
    *("--limit", "-n"),
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many of the newest runs.",
)
@stream_option
@fields_option
@json_option
def watch(
    names: tuple[str, ...],
    key: str | None,
    limit: int,
    stream: str,
    fields: str | None,
    form: Form | None,
) -> int | None:
    """Watch runs as they come, until Ctrl-C; or the events of RUN, until it ends.

    In a terminal, this is a list of the newest runs that keeps changing. Elsewhere, a line is
    printed for each run that begins, grows or ends; with --json, each line is an object.

    The exit code is 130 after Ctrl-C. With RUN, it is 0 if the run succeeded, else 1.
    """
    with open_broker(*names) as db:
        if key is not None:
            return _follow(db, one_run(db, key), stream, listed(fields), form)
        if form is None and sys.stdout.isatty():
            _show(db, limit)
        else:
            _report(db, limit, form)
    return None


def _show(db: Broker, limit: int) -> None:
    """Show the newest runs, as many as the terminal has room for."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from .columns import texts_of
    from .run_changes import looks
    from .tables import runs_table

    console = Console()

    def look() -> str:
        most = max(min(limit, console.height - 2), 1)
        columns = texts_of(list(islice(db(), most)), _COLUMNS, db.zone)
        filled = {name: texts for name, texts in columns.items() if any(texts)}
        return runs_table(filled, console.width) if filled else "There are no runs yet."

    with Live(console=console, auto_refresh=False) as live:
        for text in looks(db, look):
            live.update(Text.from_ansi(text), refresh=True)


def _report(db: Broker, limit: int, form: Form | None) -> None:
    """Print a line for each thing that happens."""
    from .run_changes import Watch, looks

    for found in looks(db, Watch(db, limit).look):
        for change in found:
            if form:
                say_json_line(change.record())
            else:
                say(_line(change, db.zone))


def _line(change: RunChange, zone: datetime.tzinfo) -> str:
    from ..display.summary import one_line
    from ..times import format_time

    start = change.run.start
    scan_id, plan = (one_line(start.get(key, "")) for key in ("scan_id", "plan_name"))
    named = f"{one_line(change.run.uid)[:8]}  {scan_id:>6}  {plan:<12}"
    return f"{format_time(time.time(), zone)}  {named}  {change}"


def _follow(
    db: Broker, run: Run, stream: str, fields: list[str] | None, form: Form | None
) -> int | None:
    """Print the events of a run as they come; return how it ended."""
    from ..runs.stream.records import record_of
    from .events import EventLines

    table = EventLines(run.session.zone, width())
    for kind, document in run.follow(stream, fields):
        if kind == "event":
            row = record_of(document)
            if form:
                say_json_line(row)
            else:
                say(table.lines(row))
    status = run.status
    stream_of(run, stream)  # or there is an error
    if not form:
        say(f"The run has ended: {status}.")
    return None if status == "success" else NO
