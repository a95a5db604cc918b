"""What a shell offers when the tab key is pressed: configurations, runs, streams and fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..runs.run import Run

_RUNS = 50


def complete_name(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the configurations whose names begin so, or files where a path was begun."""
    from click.shell_completion import CompletionItem

    from ..broker.naming import is_path
    from .opening import known_names

    if is_path(incomplete) or incomplete == ".":
        return [CompletionItem(incomplete, type="file")]
    return _offered(known_names(), incomplete)


def complete_run(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the newest runs whose uid or scan_id begins so; nothing if they cannot be had."""
    from click.shell_completion import CompletionItem

    from .._util.printable import printable
    from ..display.summary import one_line
    from ..errors import DatabrokerError
    from .opening import open_broker

    found = []
    try:
        with open_broker(*ctx.params.get("names") or ()) as db:
            for run in islice(db(), _RUNS):
                said = f"scan_id {run.start.get('scan_id', '-')}, {run.start.get('plan_name', '-')}"
                help = printable(one_line(said), lines=False)
                for key in (run.uid[:8], str(run.start.get("scan_id", ""))):
                    if incomplete and key.startswith(incomplete):
                        found.append(CompletionItem(key, help=help))
                if not incomplete:
                    found.append(CompletionItem(run.uid[:8], help=help))
    except DatabrokerError:
        return []
    return found


def complete_stream(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the streams of the run that was typed, of the newest if none was."""
    return _offered(_of_run(ctx, lambda run: run.stream_names), incomplete)


def complete_field(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the fields of the stream that was typed, behind those that stand there already."""
    before, comma, _ = incomplete.rpartition(",")
    there = before.split(",")

    def fields(run: Run) -> list[str]:
        return run.streams[ctx.params.get("stream") or "primary"].fields

    names = (name for name in _of_run(ctx, fields) if name not in there)
    return _offered((f"{before}{comma}{name}" for name in names), incomplete)


def _of_run(ctx: click.Context, names: Callable[[Run], list[str]]) -> list[str]:
    """Return names that a run has; nothing if it cannot be had."""
    from ..errors import DatabrokerError
    from .opening import open_broker

    # Before an option whose value is still to come, arguments are not yet those of the command.
    key = ctx.args[0] if ctx.args else ctx.params.get("key") or "-1"
    try:
        with open_broker(*ctx.params.get("names") or ()) as db:
            return names(db[key])
    except DatabrokerError:
        return []


def _offered(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
