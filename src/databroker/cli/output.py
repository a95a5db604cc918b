"""What commands print, and where: lines, errors, progress."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

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


def say(text: str) -> None:
    """Print a text for people; in a terminal, its lines end where words do."""
    click.echo(_fitted(printable(text), sys.stdout))


def say_styled(text: str) -> None:
    """Print a text that fits; it holds colours, and nothing else that commands a terminal."""
    click.echo(text, color=False if os.environ.get("NO_COLOR") else None)


def say_exactly(text: str) -> None:
    """Print a text for programs, which has the ends of its lines."""
    click.echo(printable(text), nl=False)


def complain(message: str) -> None:
    """Print an error where errors go, as one line; in a terminal, it may go on below."""
    text = printable(" ".join(f"databroker: {message}".split()))
    click.echo(_fitted(text, sys.stderr), err=True)


def _fitted(text: str, stream: TextIO) -> str:
    if not stream.isatty():
        return text
    import shutil

    from .folding import folded_text

    return folded_text(text, shutil.get_terminal_size().columns)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print warnings as errors are, not as Python would: where it stands in the code is no help."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(f"warning: {message}")
        yield


@contextmanager
def progress_bar(description: str, *, bytes: bool = False) -> Iterator[Callable[..., None]]:
    """Show a bar where errors go, if that is a terminal, so that the output proper stays clean.

    It counts things, or bytes, and is gone when all is done. Given is what tells it how far things
    are: `description`, `completed`, `total`, `more`.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
    )

    before = TextColumn("{task.description}", markup=False)
    after = TextColumn("{task.fields[more]}", markup=False)
    counted = DownloadColumn() if bytes else MofNCompleteColumn()
    console = Console(stderr=True)
    bar = Progress(
        *(before, BarColumn(), counted, after),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
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
    '30,000 rows, 2.4 MB, 20,000 rows/s, 0:01:15 left'
    >>> amount(Progress(2, 4, 0, 2_400_000, 1.5, 75.0))
    '2.4 MB, 1.6 MB/s, 0:01:15 left'
    """
    from datetime import timedelta

    from ..display.summary import size

    parts = [size(progress.bytes)]
    if progress.rows:
        parts = [f"{progress.rows:,} rows", *parts, f"{progress.rate:,.0f} rows/s"]
    elif progress.seconds:
        parts.append(f"{size(round(progress.bytes / progress.seconds))}/s")
    if progress.left is not None:
        parts.append(f"{timedelta(seconds=round(progress.left))} left")
    return ", ".join(parts)
