"""Lines and points in a terminal: the only module that knows plotext.

It keeps one figure for everybody, which is emptied before and after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import MissingExtra
from ..extras import require
from .colours import Depth, colour_of, in_cube, letter_of, line_colour
from .downsample import Array, span, thinned
from .panels import Curve
from .ticks import labels, padded, ticks

MARKS = "ox+*#@%&" + "abcdefghijklmnpqrstuvwyzABCDEFGHIJKLMNPQRSTUVWYZ"
"""What stands for the points of several lines where there are no colours."""

_EACH = 4  # points of a line in a column
_WIDE = 10  # columns of a tick across
_HIGH = 4  # lines of a tick upwards


def lines(
    curves: Sequence[Curve], width: int, height: int, depth: Depth, steps: bool = False
) -> list[str]:
    """Return lines in a frame with ticks, of so many columns and lines of a terminal."""
    curves = [Curve(*thinned(each.x, each.y, _EACH * width), each.label) for each in curves]
    x, y = (np.concatenate([getattr(curve, name) for curve in curves]) for name in ("x", "y"))
    with _canvas(x, y, width, height) as plotext:
        for number, curve in enumerate(curves):
            across, upwards = _stepped(curve) if steps else (curve.x, curve.y)
            told = depth != "none" or len(curves) == 1
            mark = "braille" if told else MARKS[number % len(MARKS)]
            colour = line_colour(number, len(curves))
            draw = plotext.plot
            if len(across) == 1:
                draw, mark = plotext.scatter, "●" if told else mark
            draw(across.tolist(), upwards.tolist(), marker=mark, color=colour)
        return _built(plotext, depth)


def points(x: Array, y: Array, shades: Array, width: int, height: int, depth: Depth) -> list[str]:
    """Return points, of shades between 0 and 1, as `lines` are."""
    with _canvas(x, y, width, height) as plotext:
        marks = ["●" if depth != "none" else letter_of(shade) for shade in shades]
        colours: list[Any] = [colour_of(shade) for shade in shades]
        if depth != "true":
            colours = [in_cube(colour) for colour in colours]
        plotext.scatter(x.tolist(), y.tolist(), marker=marks, color=colours)
        return _built(plotext, depth)


@contextmanager
def _canvas(x: Array, y: Array, width: int, height: int) -> Iterator[Any]:
    plotext = require("plotext", "plot")
    if not hasattr(plotext, "plot_size"):
        raise MissingExtra("This needs plotext 5.2 or 5.3: pip install 'databroker[plot]'")
    plotext.clear_figure()
    try:
        plotext.theme("clear")
        plotext.limit_size(False, False)
        plotext.plot_size(width, height)
        _scale(y, plotext.ylim, plotext.yticks, max(2, height // _HIGH), margin=0.04)
        _scale(x, plotext.xlim, plotext.xticks, max(2, width // _WIDE))
        yield plotext
    finally:
        plotext.clear_figure()


def _scale(values: Array, limit: Any, tick: Any, most: int, margin: float = 0.0) -> None:
    low, high = padded(span(values) or (0.0, 1.0), margin)
    places = ticks(low, high, most)
    limit(low, high)
    tick(places, labels(places))


def _stepped(curve: Curve) -> tuple[Array, Array]:
    """Return the corners of a line whose values hold until the next one."""
    return np.repeat(curve.x, 2)[1:], np.repeat(curve.y, 2)[:-1]


def _built(plotext: Any, depth: Depth) -> list[str]:
    text: str = plotext.build()
    if depth == "none":
        text = plotext.uncolorize(text)
    return text.rstrip("\n").split("\n")
