"""``databroker copy``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from .choosing import SearchingCommand
from .completing import complete_folder, complete_name
from .left import tell_of_files_left
from .opening import open_broker
from .outcome import NO
from .output import amount, progress_bar
from .queries import Query
from .records import Form, json_option, say_report

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..broker.moving.progress import Progress

_EXAMPLES = (
    "databroker copy example backup.db",
    "databroker copy lab archive --where plan_name=scan --since 2024",
    "databroker copy lab postgresql://me@server/beamline --text 'good sample'",
    "databroker copy lab ~/take/home.db --where scan_id=42 --files ~/take/files",
    "databroker copy lab archive home.db",
)


@click.command("copy", cls=SearchingCommand, examples=_EXAMPLES)
@click.argument(
    "sources", nargs=-1, required=True, metavar="SOURCE...", shell_complete=complete_name
)
@click.argument("target", shell_complete=complete_name)
@click.option(
    "--files",
    metavar="FOLDER",
    shell_complete=complete_folder,
    help="Copy external files, too, into this folder.",
)
@click.option("--no-verify", is_flag=True, help="Do not read again what was written.")
@json_option
def copy(
    sources: tuple[str, ...],
    target: str,
    query: Query,
    files: str | None,
    no_verify: bool,
    form: Form | None,
) -> int | None:
    """Copy runs from SOURCE to TARGET: all of them, or those that are searched for.

    SOURCE and TARGET are names of configurations, paths of SQLite files or of folders of files, or
    URIs of PostgreSQL or MongoDB databases. Several sources are copied as if they were one. Runs
    that are there already are left alone, and those that are there in part continued: so a copy
    that was broken off goes on when it is called again.

    Ends with the exit code 1 if a run could not be copied.
    """
    from ..broker.copy import copy as copied

    with _source(sources) as source, progress_bar("runs") as update:

        def report(progress: Progress) -> None:
            update(completed=progress.runs, total=progress.of, more=amount(progress))

        done = copied(
            source, target, query.as_one(), files or False, verify=not no_verify, progress=report
        )
    say_report(form, done)
    if not files:
        tell_of_files_left(sources)
    return None if done else NO


def _source(names: tuple[str, ...]) -> AbstractContextManager[Broker | str]:
    """Return what is copied from: what one name stands for, or a broker of several."""
    return open_broker(*names) if len(names) > 1 else nullcontext(names[0])
