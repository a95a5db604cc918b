"""Small pictures of plain arrays, drawn with matplotlib: frames, waveforms, lines and maps.

Nothing here uses pyplot, which would keep each figure, and touch those of the user. Names come
from documents: they are drawn as they are, never as mathematics or LaTeX.
"""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..display.summary import one_line
from ..extras import require
from .downsample import Array, limits, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


PIXELS = 96
"""How many pixels of a page an inch of a figure takes."""

_PLAIN: Any = {"parse_math": False, "usetex": False}
"""How names are drawn: LaTeX would choke on the _ in motor_x."""

_SMALL = 8.5
"""The size of most text."""

_INK = "#808080"
"""A colour that is legible on white and on black."""

_FIXED = "\N{NO-BREAK SPACE}"
_SHARP = 1.5  # pixels of a picture for each of the page
_CARD = (3.85, 2.5)  # of which two stand side by side on a page of 800 pixels
_MAP = (3.85, 2.75)  # where a square leaves room for what stands beside
_WIDE = (6.3, 2.5)
_MANY = 60  # points that are marked one by one
_ROW = 6  # frames beside each other
_FLATTEST, _TALLEST = 1 / 3, 2.0  # height of a frame by its width


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
    figure.suptitle("\n".join(lines).replace(_FIXED, " "), fontsize=_SMALL + 0.5, **_PLAIN)
    return figure


def as_png(figure: Figure) -> bytes:
    """Return a figure as a PNG file whose ground is transparent, so that any page can show it.

    All text, and the lines around the data, take one colour for that: the
    figure is changed.
    """
    figure.set_facecolor("none")
    for axes in figure.findobj(require("matplotlib.axes", "plot").Axes):
        axes.set_facecolor("none")
        axes.tick_params(which="both", color=_INK, labelcolor=_INK)
        for spine in axes.spines.values():
            spine.set_edgecolor(_INK)
    for text in figure.findobj(require("matplotlib.text", "plot").Text):
        text.set_color(_INK)
    canvas = require("matplotlib.backends.backend_agg", "plot").FigureCanvasAgg(figure)
    figure.set_dpi(PIXELS * _SHARP)
    file = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that the font does not have; the text beside the picture has it.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        canvas.print_png(file)
    return file.getvalue()


@dataclass(frozen=True)
class Axis:
    """A column of numbers, and what they are."""

    name: str
    values: Array
    units: str = ""

    @property
    def label(self) -> str:
        """What stands beside the axis."""
        return one_line(self.name, 50) + (f" ({one_line(self.units, 12)})" if self.units else "")


@dataclass(frozen=True)
class Frame:
    """The value of one event, small enough to be drawn; None if it cannot be had.

    Its shape is (rows, columns) or (points,), as it was measured.
    """

    title: str
    value: Array | None
    shape: tuple[int, ...] = ()


def strip(frames: Sequence[Frame], units: str = "") -> Figure:
    """Draw images beside each other, all in one scale of colours."""
    shapes = [frame.shape for frame in frames if frame.value is not None]
    tall = max((shape[0] / shape[1] for shape in shapes), default=1.0)
    panel = min(max(tall, _FLATTEST), _TALLEST)
    columns = min(len(frames), _ROW)
    rows = math.ceil(len(frames) / columns)
    width = 1.5 if columns > 3 else 2.0
    lines = max(frame.title.count("\n") for frame in frames) + 1
    figure = new_figure(width * columns + 0.7, (width * panel + 0.15 * lines + 0.15) * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    scale = _scale(frame.value for frame in frames if frame.value is not None)
    for axes in grid.flat:
        axes.set_axis_off()
    images = [
        _image(axes, frame, scale, panel) for axes, frame in zip(grid.flat, frames, strict=False)
    ]
    image = next(filter(None, images), None)
    if image is not None and image.get_array().ndim == 2:
        _colour_bar(image, grid[0, -1], units)
    return figure


def _image(axes: Axes, frame: Frame, scale: dict[str, Any], panel: float) -> Any:
    """Draw one image; of a missing one, only that it is."""
    title = "\n".join(one_line(text, 26) for text in frame.title.split("\n"))
    axes.set_title(title, fontsize=_SMALL - 0.5, **_PLAIN)
    value = frame.value
    if value is None:
        axes.text(0.5, 0.5, "not there", ha="center", va="center", fontsize=_SMALL, **_PLAIN)
        axes.set(xlim=(0, 1), ylim=(0, 1), box_aspect=panel)
        return None
    rows, columns = frame.shape[:2]
    if value.ndim == 3:
        # Transparent pixels would show the page instead of the data.
        low, high = scale["vmin"], scale["vmax"]
        value = np.nan_to_num(np.clip((value[..., :3] - low) / (high - low), 0, 1))
    # Very long ones are stretched, or they would be a hair.
    stretched = not _FLATTEST <= rows / columns <= _TALLEST
    return axes.imshow(
        value,
        **scale,
        extent=(0, columns, rows, 0),
        aspect=panel * columns / rows if stretched else "equal",
        interpolation="nearest",
    )


def waves(frames: Sequence[Frame], y: str, x: str = "index") -> Figure:
    """Draw waveforms over each other; the value of each has two rows, places and values."""
    figure = new_figure(*_WIDE)
    axes = figure.subplots()
    for frame in frames:
        if frame.value is not None:
            marker = "." if frame.value.shape[1] == 1 else ""
            axes.plot(*frame.value, linewidth=1, marker=marker)
    if len(axes.lines) > 1:
        # Named here, as a label that begins with _ would be left out.
        titles = [one_line(frame.title, 40) for frame in frames if frame.value is not None]
        place: Any = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
        for text in axes.legend(axes.lines, titles, frameon=False, **place).get_texts():
            text.set(fontsize=_SMALL, **_PLAIN)
    _dress(axes, x, y)
    return figure


def line(x: Axis, y: Axis, steps: bool = False) -> Figure:
    """Draw one column against another; in steps, a value holds until the next one."""
    figure = new_figure(*_CARD)
    axes = figure.subplots()
    axes.plot(
        x.values,
        y.values,
        linewidth=1.2,
        marker="o" if len(x.values) <= _MANY else "",
        markersize=3.5,
        drawstyle="steps-post" if steps else "default",
    )
    _dress(axes, x.label, y.label)
    return figure


def maps(x: Axis, y: Axis, z: Axis) -> Figure:
    """Draw a grid of values, (rows, columns), as an image; NaN stays empty."""
    figure = new_figure(*_MAP)
    axes = figure.subplots()
    across, down = _borders(x.values), _borders(y.values)
    image = axes.imshow(
        z.values,
        **_scale([z.values]),
        origin="lower",
        extent=(*across, *down),
        aspect=_aspect(x, y),
        interpolation="nearest",
    )
    _dress(axes, x.label, y.label, lines=False)
    # Axes go upwards, whichever way the motor went.
    axes.set(xlim=sorted(across), ylim=sorted(down))
    _colour_bar(image, axes, z.label)
    return figure


def scatter(x: Axis, y: Axis, z: Axis) -> Figure:
    """Draw points in the colours of their values."""
    figure = new_figure(*_MAP)
    axes = figure.subplots()
    points = axes.scatter(
        x.values,
        y.values,
        min(max(6000 / max(len(z.values), 1), 4), 40),
        z.values,
        **_scale([z.values]),
        edgecolors=_INK,  # or the darkest would be lost on a dark page
        linewidths=0.3,
    )
    axes.set_aspect(_aspect(x, y), adjustable="datalim")
    _dress(axes, x.label, y.label)
    _colour_bar(points, axes, z.label)
    return figure


def _scale(values: Iterable[Array]) -> dict[str, Any]:
    low, high = limits(values)
    return {"cmap": "viridis", "vmin": low, "vmax": high}


def _borders(places: Array) -> tuple[float, float]:
    half = (places[-1] - places[0]) / (len(places) - 1) / 2
    return float(places[0] - half), float(places[-1] + half)


def _aspect(x: Axis, y: Axis) -> Any:
    """Return 'equal' for two lengths of one kind, unless one is far longer."""
    wide, tall = span(x.values), span(y.values)
    if x.units != y.units or wide is None or tall is None:
        return "auto"
    shorter, longer = sorted((wide[1] - wide[0], tall[1] - tall[0]))
    return "equal" if longer <= 3 * shorter else "auto"


def _dress(axes: Axes, x: str, y: str, lines: bool = True) -> None:
    """Label the axes, and draw a quiet grid instead of a frame."""
    axes.set_xlabel(x, fontsize=_SMALL + 0.5, **_PLAIN)
    axes.set_ylabel(_folded(y), fontsize=_SMALL + 0.5, **_PLAIN)
    axes.tick_params(labelsize=_SMALL, length=2)
    axes.locator_params(nbins=6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(False)  # as a user's style may have one
    if lines:
        axes.grid(color=_INK, linewidth=0.5, alpha=0.25)
        axes.set_axisbelow(True)


def _colour_bar(image: Any, beside: Axes, label: str) -> None:
    # Inside of the axes' own frame, so that it is as high as the picture is.
    ground = beside.inset_axes((1.04, 0, 0.05, 1))
    bar = image.get_figure().colorbar(image, cax=ground)
    bar.outline.set_visible(False)
    ground.locator_params(nbins=4)
    ground.tick_params(labelsize=_SMALL, length=2)
    bar.set_label(_folded(label), fontsize=_SMALL, **_PLAIN)


def _folded(label: str, width: int = 28) -> str:
    """Return a label in two lines if one is too long for the height of a figure."""
    if len(label) <= width:
        return label
    cut = max(label.rfind(mark, 0, width) for mark in "_ -.:") + 1
    cut = cut if cut > width // 2 else width
    return f"{label[:cut]}\n{one_line(label[cut:], width)}"
