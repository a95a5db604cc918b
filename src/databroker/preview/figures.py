"""Figures of matplotlib: made, titled, and turned into PNG files for a page of any colour.

Nothing here uses pyplot, which would keep each figure, and touch those of the
user. Names come from documents: they are drawn as they are, never as
mathematics or LaTeX.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from typing import TYPE_CHECKING, Any

from ..display.summary import one_line
from ..extras import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["INK", "PIXELS", "PLAIN", "SMALL", "as_png", "new_figure", "titled"]

PIXELS = 96
"""How many pixels of a page an inch of a figure takes."""

PLAIN: Any = {"parse_math": False, "usetex": False}
"""How names are drawn: LaTeX would choke on the _ in motor_x."""

SMALL = 8.5
"""The size of most text."""

INK = "#808080"
"""A colour that is legible on white and on black."""

_FIXED = "\N{NO-BREAK SPACE}"
_SHARP = 1.5  # pixels of a picture for each of the page


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
    figure.suptitle("\n".join(lines).replace(_FIXED, " "), fontsize=SMALL + 0.5, **PLAIN)
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
