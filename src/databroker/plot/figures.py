"""A plot as a figure of matplotlib: on axes that are given, in a notebook, or in a file."""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._util.user_warnings import warn_user
from ..errors import InvalidQuery
from ..extras import require
from .on_axes import PLAIN, Look, draw_on, shape_of_strip
from .panels import Lines, Panel, Plot, Strip, on_one

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
"""What a picture may be written as."""

_WIDTH, _HEIGHT = 6.4, 4.0
_LOW = 2.4  # of several above each other
_LETTERS = 9  # in an inch of a title, or of the height of a panel
_DPI = 150


def draw_plot(plot: Plot, ax: Any = None) -> Any:
    """Draw panels on axes that are given, or on a new figure of pyplot; return the axes.

    What the plot lacks becomes warnings.
    """
    for note in plot.notes:
        warn_user(note)
    if ax is not None:
        return _draw_on_given(plot.panels, ax)
    pyplot = require("matplotlib.pyplot", "plot")
    figure = pyplot.figure(layout="constrained")
    axes = _fill(figure, plot)
    return axes[0] if len(axes) == 1 else np.array(axes, dtype=object)


def save_plot(plot: Plot, path: Path, form: str) -> None:
    """Write panels as a file of one of the `FORMATS`."""
    figure = require("matplotlib.figure", "plot").Figure(layout="constrained")
    _fill(figure, plot)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # that the font does not have
        figure.savefig(path, dpi=_DPI, format=form)


def _draw_on_given(panels: Sequence[Panel], ax: Any) -> Any:
    axes = list(np.ravel(np.array(ax, dtype=object)))
    if len(axes) != len(panels):
        together = on_one(panels) if len(axes) == 1 else None
        if together is None:
            names = ", ".join(panel.name for panel in panels)
            raise InvalidQuery(
                f"ax has {len(axes)} axes, and there are {len(panels)} panels ({names}). Choose "
                "fields by y=, or leave ax out."
            )
        panels = [together]
    for each, panel in zip(axes, panels, strict=True):
        draw_on(each, panel.contents, Look(quiet=False))
    return ax


def _fill(figure: Figure, plot: Plot) -> list[Any]:
    """Draw all panels on a figure of the right size, and return the axes."""
    rows, columns, heights = _layout(plot.panels)
    figure.set_size_inches(_WIDTH * (1 if columns == 1 else 0.8 * columns), sum(heights))
    ratios = {"height_ratios": heights}
    grid = figure.subplots(rows, columns, squeeze=False, gridspec_kw=ratios)
    axes = list(grid.flat)
    for unused in axes[len(plot.panels) :]:
        unused.remove()
    axes = axes[: len(plot.panels)]
    for number, (each, panel) in enumerate(zip(axes, plot.panels, strict=True)):
        draw_on(each, panel.contents, Look(fold=int(_LETTERS * heights[number // columns])))
        title = panel.title
        if isinstance(panel.contents, Strip):  # which has no axis that says what it is
            title = " · ".join(filter(None, (panel.name, title)))
        if title:
            each.set_title(title, fontsize="medium", **PLAIN)
    if columns == 1:
        _share_x(axes, plot.panels)
    if plot.title:
        lines = textwrap.wrap(plot.title, int(_LETTERS * figure.get_figwidth()))
        figure.suptitle("\n".join(lines), **PLAIN)
    return axes


def _layout(panels: Sequence[Panel]) -> tuple[int, int, list[float]]:
    """Return how many rows and columns there are, and how high the rows are, in inches."""
    count = len(panels)
    plain = all(isinstance(panel.contents, Lines) for panel in panels)
    wide = any(isinstance(panel.contents, Strip) for panel in panels)
    columns = 1 if wide or count == 1 or (plain and count <= 4) else math.ceil(math.sqrt(count))
    if columns > 1:
        rows = math.ceil(count / columns)
        return rows, columns, [_HEIGHT] * rows
    return count, 1, [_height(panel, alone=count == 1) for panel in panels]


def _height(panel: Panel, alone: bool) -> float:
    match panel.contents:
        case Strip(frames):
            rows, columns, tall = shape_of_strip(frames)
            return rows * (0.9 * _WIDTH / columns * tall + 0.5) + 0.5
    return _HEIGHT if alone else _LOW


def _share_x(axes: Sequence[Any], panels: Sequence[Panel]) -> None:
    """Join the axes of lines that stand above each other and go along the same."""
    lines = [
        (each, panel.contents.x)
        for each, panel in zip(axes, panels, strict=True)
        if isinstance(panel.contents, Lines)
    ]
    for (above, label), (below, other) in pairwise(lines):
        if label == other:
            above.sharex(below)
            above.set_xlabel("")
            above.tick_params(labelbottom=False)
