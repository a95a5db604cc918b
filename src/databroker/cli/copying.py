"""``databroker copy``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from .common import open_broker, progress_bar, say
from .names import BrokerCommand, Name
from .queries import query_of

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..broker.moving.progress import Progress

_EXAMPLES = """\b
Examples:
  databroker copy example backup.db
  databroker copy lab archive since=2024 plan_name=scan
  databroker copy lab postgresql://me@server/beamline 'good sample'
  databroker copy lab ~/take/home.db scan_id=42 --files ~/take/files
  databroker copy -b lab -b archive home.db sample=Ni
"""


@click.command("copy", cls=BrokerCommand, epilog=_EXAMPLES)
@click.argument("source", cls=Name)
@click.argument("target")
@click.argument("query", nargs=-1)
@click.option("--files", metavar="FOLDER", help="Copy external files, too, into this folder.")
@click.option("--no-verify", is_flag=True, help="Do not read again what was written.")
def copy(
    names: tuple[str, ...], target: str, query: tuple[str, ...], files: str | None, no_verify: bool
) -> None:
    """Copy runs from SOURCE to TARGET: all of them, or those that match QUERY.

    SOURCE and TARGET are names of configurations, paths of SQLite files or of folders of files, or
    URIs of PostgreSQL or MongoDB databases. Words of QUERY must occur in the metadata of a run;
    key=value must be so. Runs that are there already are left alone, and those that are there in
    part continued: so a copy that was broken off goes on when it is called again.

    Ends with the exit code 1 if a run could not be copied.
    """
    from ..broker.copy import copy as copied

    with _source(names) as source, progress_bar("runs") as update:

        def report(progress: Progress) -> None:
            update(completed=progress.runs, total=progress.of, more=_amount(progress))

        done = copied(
            source, target, query_of(query), files or False, verify=not no_verify, progress=report
        )
    say(repr(done))
    if not done:
        raise click.exceptions.Exit(1)


def _source(names: tuple[str, ...]) -> AbstractContextManager[Broker | str]:
    """Return what is copied from: what one name stands for, or a broker of several."""
    return open_broker(*names) if len(names) > 1 else nullcontext(names[0])


def _amount(progress: Progress) -> str:
    """Return how far it is, in words.

    Examples
    --------
    >>> from databroker.broker.moving.progress import Progress
    >>> _amount(Progress(2, 4, 30_000, 2_400_000, 1.5, 75.0))
    '30 000 rows, 2.4 MB, 20 000 rows/s, 0:01:15 left'
    """
    from datetime import timedelta

    from ..display.summary import size

    rows, rate = (f"{number:,.0f}".replace(",", " ") for number in (progress.rows, progress.rate))
    left = "" if progress.left is None else f", {timedelta(seconds=round(progress.left))} left"
    return f"{rows} rows, {size(progress.bytes)}, {rate} rows/s{left}"
