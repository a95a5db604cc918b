"""Small figures of what is seen of fields: frames, waveforms, lines and maps.

Nothing here uses pyplot, which would keep each figure, and touch those of the user.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..display.summary import one_line
from ..extras import require
from ..plot.on_axes import INK, PLAIN, Look, draw_frames, draw_on, shape_of_strip
from ..plot.panels import Contents, Frame, Grid, Lines, Points, Strip

if TYPE_CHECKING:
    from matplotlib.figure import Figure


PIXELS = 96
"""How many pixels of a page an inch of a figure takes."""

_SMALL = 8.5
"""The size of most text."""

_LOOK = Look(_SMALL, fold=28)
_FIXED = "\N{NO-BREAK SPACE}"
_SHARP = 1.5  # pixels of a picture for each of the page
_CARD = (3.85, 2.5)  # of which two stand side by side on a page of 800 pixels
_MAP = (3.85, 2.75)  # where a square leaves room for what stands beside
_WIDE = (6.3, 2.5)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches, which belongs to nobody else."""
    figure: Figure = require("matplotlib.figure", "plot").Figure(
        figsize=(width, height), layout="constrained"
    )
    return figure


def titled(figure: Figure, title: str) -> Figure:
    """Return the figure, made taller by a title, of which lines end at a dot if they can."""
    parts = one_line(title, 200).split(" · ")
    text = " · ".join(part.replace(" ", _FIXED) for part in parts)
    lines = textwrap.wrap(text, int(12 * figure.get_figwidth()))
    figure.set_figheight(figure.get_figheight() + 0.17 * len(lines))
    figure.suptitle("\n".join(lines).replace(_FIXED, " "), fontsize=_SMALL + 0.5, **PLAIN)
    return figure


def as_png(figure: Figure) -> bytes:
    """Return a figure as a PNG file whose ground is transparent, so that any page can show it.

    All text, and the lines around the data, take one colour for that: the
    figure is changed.
    """
    figure.set_facecolor("none")
    for axes in figure.findobj(require("matplotlib.axes", "plot").Axes):
        axes.set_facecolor("none")
        axes.tick_params(which="both", color=INK, labelcolor=INK)
        for spine in axes.spines.values():
            spine.set_edgecolor(INK)
    for text in figure.findobj(require("matplotlib.text", "plot").Text):
        text.set_color(INK)
    canvas = require("matplotlib.backends.backend_agg", "plot").FigureCanvasAgg(figure)
    figure.set_dpi(PIXELS * _SHARP)
    file = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that the font does not have; the text beside the picture has it.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        canvas.print_png(file)
    return file.getvalue()


def figure_of(contents: Contents) -> Figure:
    """Draw what is seen of a field."""
    match contents:
        case Strip(frames, units):
            return _strip(frames, units)
        case Grid() | Points():
            size = _MAP
        case Lines(curves=[_]):
            size = _CARD
        case _:
            size = _WIDE
    figure = new_figure(*size)
    draw_on(figure.subplots(), contents, _LOOK)
    return figure


def _strip(frames: Sequence[Frame], units: str) -> Figure:
    rows, columns, panel = shape_of_strip(frames)
    width = 1.5 if columns > 3 else 2.0
    lines = max(frame.title.count("\n") for frame in frames) + 1
    figure = new_figure(width * columns + 0.7, (width * panel + 0.15 * lines + 0.15) * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    draw_frames(list(grid.flat), frames, units, panel, grid[0, -1], _LOOK)
    return figure
