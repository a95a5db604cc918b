"""What a shell offers when the tab key is pressed: names of configurations, and runs."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

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
    return [CompletionItem(name) for name in known_names() if name.startswith(incomplete)]


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
