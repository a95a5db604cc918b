"""``databroker plot``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from .choosing import Chosen, RunsCommand, one_run
from .completing import (
    complete_axis,
    complete_field,
    complete_fields,
    complete_file,
    complete_stream,
)
from .opening import open_broker
from .outcome import NO
from .output import complain, say, say_styled
from .queries import listed

if TYPE_CHECKING:
    from ..plot.colours import Depth
    from ..plot.panels import Plot

_EXAMPLES = (
    "databroker plot",
    "databroker plot 2 3 --y det4,eta_det",
    "databroker plot --where plan_name=scan --x time --y det",
    "databroker plot -b example -1 --y det --norm motor -o scan.png --overwrite",
)


@click.command("plot", cls=RunsCommand, examples=_EXAMPLES)
@click.option(
    "--x",
    shell_complete=complete_axis,
    help="What is drawn along: a field, time or seq_num; of a map, two: x,y.",
)
@click.option(
    "--y", shell_complete=complete_fields, help="Only these fields, with commas between them."
)
@click.option(
    "--norm",
    metavar="FIELD",
    shell_complete=complete_field,
    help="Divide by this field, event by event.",
)
@click.option(
    "--stream", "-s", shell_complete=complete_stream, help="Which stream.  [default: primary]"
)
@click.option(
    "--frames",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How many images or waveforms of a field.",
)
@click.option(
    *("--output", "-o"),
    metavar="FILE",
    shell_complete=complete_file,
    help="Write a picture instead: .png, .svg or .pdf.",
)
@click.option("--overwrite", is_flag=True, help="Write the file anew if it is there.")
def plot(
    names: tuple[str, ...],
    chosen: Chosen,
    x: str | None,
    y: str | None,
    norm: str | None,
    stream: str | None,
    frames: int,
    output: str | None,
    overwrite: bool,
) -> int | None:
    """Draw runs, the newest if none is named: here, or into a file.

    A scan is a line, that of two motors a map; of images, some are shown. Lines of several runs
    are over each other.
    """
    from ..plot.plotting import Request, plot_of

    form = None if output is None else _form(output)
    request = Request(listed(x), listed(y), norm, stream, frames)
    with open_broker(*names) as db:
        made = plot_of(chosen.of(db) if chosen else [one_run(db, "-1")], request)
    for note in made.notes:
        complain(note)
    if output is None or form is None or made.is_empty:
        _show(made)
        return NO if output and made.is_empty else None
    _write(made, output, form, overwrite)
    return None


def _form(file: str) -> str:
    """Return the format that the end of a name stands for."""
    from ..plot.figures import FORMATS

    form = os.path.splitext(file)[1].lower().removeprefix(".")
    if form not in FORMATS:
        ends = ", ".join(f".{each}" for each in FORMATS)
        raise click.UsageError(f"{file!r} says no format: it ends in one of {ends}.")
    return form


def _show(made: Plot) -> None:
    """Print a plot as wide as the terminal is; a pipe is 80 columns wide, or what COLUMNS says."""
    import shutil

    from ..plot.terminal import plot_text

    columns, lines = shutil.get_terminal_size()
    say_styled(plot_text(made, columns, lines, _depth()))


def _depth() -> Depth:
    """Return which colours there are."""
    environment = os.environ
    plain = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    if plain or not sys.stdout.isatty():
        return "none"
    return "true" if environment.get("COLORTERM") in ("truecolor", "24bit") else "256"


def _write(made: Plot, file: str, form: str, overwrite: bool) -> None:
    from .._util.whole_files import whole_file
    from ..plot.figures import save_plot

    try:
        with whole_file(file, overwrite=overwrite) as part:
            save_plot(made, part, form)
    except FileExistsError as error:
        raise FileExistsError(f"{error} With --overwrite, it is replaced.") from None
    say(f"Written: {file}")
