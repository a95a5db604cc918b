"""Small pictures of data, drawn with matplotlib: frames, waveforms, lines and maps.

Pure functions from plain arrays to a `matplotlib.figure.Figure`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..display.summary import one_line
from .figures import INK, PLAIN, SMALL, new_figure
from .pixels import limits, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Axis", "Frame", "line", "maps", "scatter", "strip", "waves"]

Array = np.ndarray[Any, Any]

_CARD = (3.85, 2.5)  # of which two stand side by side on a page of 800 pixels
_MAP = 2.75  # a square of it leaves room for what stands beside
_MANY = 60  # points that are marked one by one
_ROW = 6  # frames beside each other
_FLATTEST, _TALLEST = 1 / 3, 2.0  # height of a frame by its width
_COLOURS = "viridis"


@dataclass(frozen=True)
class Axis:
    """A column of numbers, and what they are.

    Examples
    --------
    >>> Axis("motor", np.arange(3.0), "mm").label
    'motor (mm)'
    """

    name: str
    values: Array
    units: str = ""

    @property
    def label(self) -> str:
        """What stands beside the axis."""
        return one_line(self.name, 50) + (f" ({one_line(self.units, 12)})" if self.units else "")


@dataclass(frozen=True)
class Frame:
    """The value of one event: an image or a waveform, small enough to be drawn.

    Attributes
    ----------
    title
        Which event it is.
    value
        None if it cannot be had.
    shape
        As it was measured, (rows, columns) or (points,).
    """

    title: str
    value: Array | None
    shape: tuple[int, ...] = ()


def strip(frames: Sequence[Frame], units: str = "") -> Figure:
    """Draw images beside each other, all in one scale of colours.

    Examples
    --------
    >>> figure = strip([Frame("event 1", np.eye(4), (4, 4)), Frame("event 2", None)])
    >>> [axes.get_title() for axes in figure.axes]
    ['event 1', 'event 2']
    """
    there = [frame for frame in frames if frame.value is not None]
    tall = max([frame.shape[0] / frame.shape[1] for frame in there] or [1.0])
    panel = min(max(tall, _FLATTEST), _TALLEST)
    columns = min(len(frames), _ROW)
    rows = math.ceil(len(frames) / columns)
    width = 1.5 if columns > 3 else 2.0
    lines = max(frame.title.count("\n") for frame in frames) + 1
    figure = new_figure(width * columns + 0.7, (width * panel + 0.15 * lines + 0.15) * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    scale = limits(frame.value for frame in there if frame.value is not None)
    images = []
    for place, axes in enumerate(grid.flat):
        axes.set_axis_off()
        if place < len(frames):
            images += _image(axes, frames[place], scale, panel)
    if images and images[0].get_array().ndim == 2:
        _colour_bar(figure, images[0], grid[0, -1], units)
    return figure


def _image(axes: Axes, frame: Frame, scale: tuple[float, float], panel: float) -> list[Any]:
    title = "\n".join(one_line(text, 26) for text in frame.title.split("\n"))
    axes.set_title(title, fontsize=SMALL - 0.5, **PLAIN)
    if frame.value is None:
        axes.text(0.5, 0.5, "not there", ha="center", va="center", fontsize=SMALL, **PLAIN)
        axes.set(xlim=(0, 1), ylim=(0, 1), box_aspect=panel)
        return []
    rows, columns = frame.shape[:2]
    value, low, high = frame.value, *scale
    if value.ndim == 3:
        # Transparent pixels would show the page instead of the data.
        value = np.nan_to_num(np.clip((value[..., :3] - low) / (high - low), 0, 1))
    # Very long ones are stretched, or they would be a hair.
    stretched = not _FLATTEST <= rows / columns <= _TALLEST
    image = axes.imshow(
        value,
        cmap=_COLOURS,
        vmin=low,
        vmax=high,
        origin="upper",
        extent=(0, columns, rows, 0),
        aspect=panel * columns / rows if stretched else "equal",
        interpolation="nearest",
    )
    return [image]


def _colour_bar(figure: Figure, image: Any, beside: Axes, label: str) -> None:
    # Inside of the axes' own frame, so that it is as high as the picture is.
    ground = beside.inset_axes((1.04, 0, 0.05, 1))
    bar = figure.colorbar(image, cax=ground)
    bar.outline.set_visible(False)
    ground.locator_params(nbins=4)
    ground.tick_params(labelsize=SMALL, length=2)
    bar.set_label(_folded(label), fontsize=SMALL, **PLAIN)


def waves(frames: Sequence[Frame], y: str, x: str = "index") -> Figure:
    """Draw waveforms over each other.

    Parameters
    ----------
    frames
        The value of each has two rows: places, and values.
    x, y
        What stands beside the axes.

    Examples
    --------
    >>> wave = np.array([[0, 1, 2], [5.0, 6.0, 4.0]])
    >>> axes, = waves([Frame("1", wave), Frame("2", None)], "spectrum (counts)").axes
    >>> axes.get_ylabel(), [line.get_ydata().tolist() for line in axes.lines]
    ('spectrum (counts)', [[5.0, 6.0, 4.0]])
    """
    figure = new_figure(6.3, _CARD[1])
    axes = figure.subplots()
    there = [(frame.title, frame.value) for frame in frames if frame.value is not None]
    lines = [
        axes.plot(value[0], value[1], linewidth=1, marker="." if value.shape[1] == 1 else "")[0]
        for _, value in there
    ]
    if len(lines) > 1:
        titles = [one_line(title, 40) for title, _ in there]
        legend = axes.legend(
            lines,
            titles,
            loc="upper left",
            bbox_to_anchor=(1.01, 1),
            borderaxespad=0,
            frameon=False,
        )
        for text in legend.get_texts():
            text.set(fontsize=SMALL, **PLAIN)
    _dress(axes, x, y)
    return figure


def line(x: Axis, y: Axis, steps: bool = False) -> Figure:
    """Draw one column against another.

    Parameters
    ----------
    steps
        Whether a value holds until the next one.

    Examples
    --------
    >>> axes, = line(Axis("motor", np.arange(3.0), "mm"), Axis("det", np.ones(3))).axes
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('motor (mm)', 'det')
    """
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
    """Draw a grid of values as an image.

    Parameters
    ----------
    x, y
        The places of the columns and of the rows.
    z
        The values; its array has two axes, (rows, columns). NaN stays empty.

    Examples
    --------
    >>> mx, my = Axis("mx", np.arange(3.0)), Axis("my", np.arange(2.0))
    >>> axes, = maps(mx, my, Axis("det", np.eye(2, 3))).axes
    >>> axes.get_xlabel(), axes.get_ylabel(), axes.images[0].get_array().shape
    ('mx', 'my', (2, 3))
    """
    figure = new_figure(_CARD[0], _MAP)
    axes = figure.subplots()
    across, down = (_borders(each.values) for each in (x, y))
    low, high = limits([z.values])
    image = axes.imshow(
        z.values,
        cmap=_COLOURS,
        vmin=low,
        vmax=high,
        origin="lower",
        extent=(*across, *down),
        aspect=_aspect(x, y),
        interpolation="nearest",
    )
    _dress(axes, x.label, y.label, lines=False)
    # Axes go upwards, whichever way the motor went.
    axes.set(xlim=sorted(across), ylim=sorted(down))
    _colour_bar(figure, image, axes, z.label)
    return figure


def scatter(x: Axis, y: Axis, z: Axis) -> Figure:
    """Draw points in the colours of their values.

    Examples
    --------
    >>> three = np.arange(3.0)
    >>> figure = scatter(Axis("mx", three), Axis("my", three), Axis("det", three))
    >>> figure.axes[0].collections[0].get_array().tolist()
    [0.0, 1.0, 2.0]
    """
    figure = new_figure(_CARD[0], _MAP)
    axes = figure.subplots()
    low, high = limits([z.values])
    size = min(max(6000 / max(len(z.values), 1), 4), 40)
    points = axes.scatter(
        x.values,
        y.values,
        size,
        z.values,
        cmap=_COLOURS,
        vmin=low,
        vmax=high,
        edgecolors=INK,  # or the darkest would be lost on a dark page
        linewidths=0.3,
    )
    axes.set_aspect(_aspect(x, y), adjustable="datalim")
    _dress(axes, x.label, y.label)
    _colour_bar(figure, points, axes, z.label)
    return figure


def _borders(places: Array) -> tuple[float, float]:
    half = (places[-1] - places[0]) / (len(places) - 1) / 2
    return float(places[0] - half), float(places[-1] + half)


def _aspect(x: Axis, y: Axis) -> Any:
    """Return 'equal' for two lengths of one kind, unless one is far longer."""
    wide, tall = span(x.values), span(y.values)
    if x.units != y.units or wide is None or tall is None:
        return "auto"
    lengths = sorted((wide[1] - wide[0], tall[1] - tall[0]))
    return "equal" if lengths[1] <= 3 * lengths[0] else "auto"


def _dress(axes: Axes, x: str, y: str, lines: bool = True) -> None:
    axes.set_xlabel(x, fontsize=SMALL + 0.5, **PLAIN)
    axes.set_ylabel(_folded(y), fontsize=SMALL + 0.5, **PLAIN)
    axes.tick_params(labelsize=SMALL, length=2)
    axes.locator_params(nbins=6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(False)  # as a user's style may have one
    if lines:
        axes.grid(color=INK, linewidth=0.5, alpha=0.25)
        axes.set_axisbelow(True)


def _folded(label: str, width: int = 28) -> str:
    """Return a label in two lines if one is too long for the height of a figure."""
    if len(label) <= width:
        return label
    cut = max(label.rfind(mark, 0, width) for mark in "_ -.:") + 1
    cut = cut if cut > width // 2 else width
    return f"{label[:cut]}\n{one_line(label[cut:], width)}"
