"""What commands print, and where: lines, errors, progress."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .._util.printable import printable

if TYPE_CHECKING:
    from ..broker.moving.progress import Progress

_PIPED_WIDTH = 10_000


def width() -> int:
    """Return how wide the terminal is; a pipe is so wide that nothing is cut in it."""
    if not (sys.stdout.isatty() or os.environ.get("COLUMNS")):
        return _PIPED_WIDTH
    import shutil

    return shutil.get_terminal_size().columns


def say(text: str, *, styled: bool = False, ended: bool = False) -> None:
    """Print a text of lines, of which the last one may have its end already.

    What is styled holds nothing else that commands the terminal.
    """
    plain = os.environ.get("NO_COLOR")
    click.echo(text if styled else printable(text), nl=not ended, color=False if plain else None)


def complain(message: str) -> None:
    """Print an error as one line, where errors go."""
    click.echo(f"databroker: {printable(' '.join(message.split()))}", err=True)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print warnings as errors are, not as Python would: where it stands in the code is no help."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(f"warning: {message}")
        yield


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[..., None]]:
    """Show a bar on the terminal's side channel, so that the output proper stays clean.

    Given is what tells it how far things are: `description`, `completed`, `total`, `more`.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    before = TextColumn("{task.description}", markup=False)
    after = TextColumn("{task.fields[more]}", markup=False)
    bar = Progress(before, BarColumn(), MofNCompleteColumn(), after, console=Console(stderr=True))
    task = bar.add_task(description, total=None, more="")

    def update(**known: Any) -> None:
        bar.start()  # not before: where nothing is to be done, nothing is shown
        bar.update(task, **known)

    try:
        yield update
    finally:
        if bar.live.is_started:
            bar.stop()


def amount(progress: Progress) -> str:
    """Return how far it is, in words.

    Examples
    --------
    >>> from databroker.broker.moving.progress import Progress
    >>> amount(Progress(2, 4, 30_000, 2_400_000, 1.5, 75.0))
    '30 000 rows, 2.4 MB, 20 000 rows/s, 0:01:15 left'
    >>> amount(Progress(2, 4, 0, 2_400_000, 1.5, 75.0))
    '2.4 MB, 1.6 MB/s, 0:01:15 left'
    """
    from datetime import timedelta

    from ..display.counting import spaced
    from ..display.summary import size

    parts = [size(progress.bytes)]
    if progress.rows:
        parts = [f"{spaced(progress.rows)} rows", *parts, f"{spaced(progress.rate)} rows/s"]
    elif progress.seconds:
        parts.append(f"{size(round(progress.bytes / progress.seconds))}/s")
    if progress.left is not None:
        parts.append(f"{timedelta(seconds=round(progress.left))} left")
    return ", ".join(parts)
