"""What a shell offers when the tab key is pressed: configurations, runs, fields, formats, files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import click

from .._util.printable import printable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..runs.run import Run

_RUNS = 50


def complete_name(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the configurations whose names begin so, or files where a path was begun."""
    from ..broker.naming import is_path
    from .opening import known_names

    if is_path(incomplete) or incomplete == ".":
        return _from_shell("file", incomplete)
    return offered(known_names(), incomplete)


def complete_run(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the newest runs whose uid or scan_id begins so; nothing if they cannot be had."""
    from click.shell_completion import CompletionItem

    from ..display.summary import one_line
    from ..errors import DatabrokerError
    from .opening import open_broker

    found = []
    try:
        with open_broker(*ctx.params.get("names") or ()) as db:
            for run in islice(db(), _RUNS):
                said = f"scan_id {run.start.get('scan_id', '-')}, {run.start.get('plan_name', '-')}"
                help = printable(one_line(said), lines=False)
                keys = (
                    [run.uid[:8], str(run.start.get("scan_id", ""))]
                    if incomplete
                    else [run.uid[:8]]
                )
                for item in offered(keys, incomplete):
                    found.append(CompletionItem(item.value, help=help))
    except DatabrokerError:
        return []
    return found


def complete_stream(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the streams of the run that was typed, of the newest if none was."""
    return offered(_of_run(ctx, lambda run: run.stream_names), incomplete)


def complete_streams(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the same, behind those that stand there already."""
    return _listed(_of_run(ctx, lambda run: run.stream_names), incomplete)


def complete_field(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the fields of the streams that were typed."""
    return offered(_of_run(ctx, partial(_fields, ctx)), incomplete)


def complete_fields(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the same, behind those that stand there already."""
    return _listed(_of_run(ctx, partial(_fields, ctx)), incomplete)


def complete_axis(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return what a plot can be drawn along."""
    return _listed([*_of_run(ctx, partial(_fields, ctx)), "time", "seq_num"], incomplete)


def complete_column(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the columns that a list can have: captions, and metadata of the newest run."""
    from ..display.summary import CAPTIONS

    return _listed([*CAPTIONS, "events", "source", *_of_run(ctx, _keys)], incomplete)


def complete_key(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the keys of the metadata of the run that was typed, or of the newest."""
    return _listed(_of_run(ctx, _keys), incomplete)


def complete_format(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the formats that runs can be exported to."""
    from ..export.registry import format_names

    return offered(format_names(), incomplete)


def complete_time(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return some of the words for times."""
    return offered(["today", "yesterday", "monday"], incomplete)


def complete_file(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Have the shell offer files."""
    return _from_shell("file", incomplete)


def complete_folder(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Have the shell offer folders."""
    return _from_shell("dir", incomplete)


def _fields(ctx: click.Context, run: Run) -> list[str]:
    """Return the fields of the streams that were typed; of 'primary', or of all there are."""
    said = ctx.params.get("stream") or ctx.params.get("streams")
    if said:
        names = said.split(",")
    else:
        names = ["primary"] if "primary" in run.stream_names else run.stream_names
    return [field for name in names for field in run.streams[name].fields]


def _keys(run: Run) -> list[str]:
    """Return the keys of the start document of a run, and those inside of one, with dots."""
    found = []
    for key, value in run.start.items():
        found.append(key)
        if isinstance(value, dict):
            found += [f"{key}.{inner}" for inner in value]
    return found


def _of_run(ctx: click.Context, names: Callable[[Run], list[str]]) -> list[str]:
    """Return names that a run has; nothing if it cannot be had."""
    from ..errors import DatabrokerError
    from .opening import open_broker

    try:
        with open_broker(*ctx.params.get("names") or ()) as db:
            return names(db[_key(ctx)])
    except DatabrokerError:
        return []


def _key(ctx: click.Context) -> str:
    """Return the first run that was typed; the newest, if there is none."""
    # Before an option whose value is still to come, arguments are not yet those of the command.
    chosen = ctx.params.get("chosen")
    for key in (*ctx.args, ctx.params.get("key"), *(chosen.keys if chosen else ())):
        if isinstance(key, str) and ":" not in key:  # no slice
            return key
    return "-1"


def _listed(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Return names behind those, with commas between them, that stand there already."""
    before, comma, _ = incomplete.rpartition(",")
    there = before.split(",")
    return offered((f"{before}{comma}{name}" for name in names if name not in there), incomplete)


def offered(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Return the names that begin so; no shell is to get what commands a terminal."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(name)
        for name in dict.fromkeys(names)
        if name.startswith(incomplete) and name == printable(name, lines=False)
    ]


def _from_shell(kind: str, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type=kind)]
