"""Contents of panels drawn on matplotlib's axes.

Nothing here makes a figure, or knows pyplot. Names come from documents: they are drawn as they
are, never as mathematics or LaTeX.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..display.summary import one_line
from ..extras import require
from .downsample import Array, limits, span
from .panels import Axis, Contents, Curve, Frame, Grid, Lines, Nothing, Points, Strip, both_ends

if TYPE_CHECKING:
    from matplotlib.axes import Axes


PLAIN: Any = {"parse_math": False, "usetex": False}
"""How names are drawn: LaTeX would choke on the _ in motor_x."""

INK = "#808080"
"""A colour that is legible on white and on black."""

COLOURS = "viridis"

_MANY = 60  # points that are marked one by one
_CYCLE = 10  # colours that are told apart
_LEGEND = 20  # entries that a legend has room for
_ROW = 6  # frames beside each other
_LINES = 3  # of a label beside an axis, about
_FLATTEST, _TALLEST = 1 / 3, 2.0  # height of a frame by its width


@dataclass(frozen=True)
class Look:
    """How axes look: the size of text, if not what matplotlib says; whether there is no frame."""

    text: float | None = None
    quiet: bool = True
    fold: int = 40  # letters after which a label beside an axis is folded

    def size(self, more: float = 0) -> dict[str, Any]:
        """Return how large a text is."""
        return {} if self.text is None else {"fontsize": self.text + more}


def draw_on(axes: Axes, contents: Contents, look: Look) -> None:
    """Draw what a panel holds."""
    match contents:
        case Lines():
            _lines(axes, contents, look)
        case Grid(x, y, z):
            _grid(axes, x, y, z, look)
        case Points(x, y, z):
            _points(axes, x, y, z, look)
        case Strip(frames, units):
            _strip(axes, frames, units, look)
        case Nothing(why):
            _nothing(axes, why, look)


def _lines(axes: Axes, lines: Lines, look: Look) -> None:
    for curve, colour in zip(lines.curves, _line_colours(lines.curves), strict=True):
        marked = len(lines.curves) <= _CYCLE and len(curve.x) <= _MANY
        (drawn,) = axes.plot(
            curve.x,
            curve.y,
            linewidth=1.2,
            marker="o" if marked or len(curve.x) == 1 else "",
            markersize=3.5,
            drawstyle="steps-post" if lines.steps else "default",
            **colour,
        )
        if curve.label:
            drawn.set_label(one_line(curve.label, 60))
    _legend(axes, look)
    dress(axes, lines.x, lines.y, look)


def _line_colours(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """Return the colours of curves: of many, their order is seen from them."""
    if len(curves) <= _CYCLE:
        return [{}] * len(curves)
    colours = require("matplotlib", "plot").colormaps[COLOURS]
    return [{"color": colours(place)} for place in np.linspace(0, 0.95, len(curves))]


def _legend(axes: Axes, look: Look) -> None:
    """Name the lines, or some of very many; those of the user too, as far as they have names."""
    named = [line for line in axes.lines if not str(line.get_label()).startswith("_child")]
    if len(axes.lines) < 2 or not named:
        return
    shown = named[:: math.ceil(len(named) / _LEGEND)]
    # The names are passed, as a label that begins with _ would be left out.
    place: Any = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
    place = place if look.quiet else {"loc": "best"}  # beside axes of the user's may be others
    legend = axes.legend(shown, [str(line.get_label()) for line in shown], frameon=False, **place)
    for text in legend.get_texts():
        text.set(**PLAIN, **look.size())


def _grid(axes: Axes, x: Axis, y: Axis, z: Axis, look: Look) -> None:
    across, down = _borders(x.values), _borders(y.values)
    image = axes.imshow(
        z.values,
        **scale([z.values]),
        origin="lower",
        extent=(*across, *down),
        aspect=_aspect(x, y),
        interpolation="nearest",
    )
    dress(axes, x.label, y.label, look, lines=False)
    # Axes go upwards, whichever way the motor went.
    axes.set(xlim=sorted(across), ylim=sorted(down))
    colour_bar(image, axes, z.label, look)


def _points(axes: Axes, x: Axis, y: Axis, z: Axis, look: Look) -> None:
    points = axes.scatter(
        x.values,
        y.values,
        min(max(6000 / max(len(z.values), 1), 4), 40),
        z.values,
        **scale([z.values]),
        edgecolors=INK,  # or the darkest would be lost on a dark page
        linewidths=0.3,
    )
    axes.set_aspect(_aspect(x, y), adjustable="datalim")
    dress(axes, x.label, y.label, look)
    colour_bar(points, axes, z.label, look)


def shape_of_strip(frames: Sequence[Frame]) -> tuple[int, int, float]:
    """Return how many rows and columns of frames there are, and their height by their width."""
    shapes = [frame.shape for frame in frames if frame.value is not None]
    tall = max((shape[0] / shape[1] for shape in shapes), default=1.0)
    columns = min(len(frames), _ROW)
    return math.ceil(len(frames) / columns), columns, min(max(tall, _FLATTEST), _TALLEST)


def _strip(axes: Axes, frames: Sequence[Frame], units: str, look: Look) -> None:
    """Draw frames inside of one pair of axes."""
    rows, columns, panel = shape_of_strip(frames)
    axes.set_axis_off()
    width, height = 0.9 / columns, 1 / rows
    corners = [(n % columns * width, 1 - (n // columns + 1) * height) for n in range(len(frames))]
    insets = [axes.inset_axes((*corner, width * 0.93, height * 0.85)) for corner in corners]
    draw_frames(insets, frames, units, panel, insets[min(columns, len(insets)) - 1], look)


def draw_frames(
    grid: Sequence[Axes],
    frames: Sequence[Frame],
    units: str,
    panel: float,
    beside: Axes,
    look: Look,
) -> None:
    """Draw frames on axes of their own, all in one scale, of which a bar tells."""
    colours = scale(frame.value for frame in frames if frame.value is not None)
    for axes in grid:
        axes.set_axis_off()
    images = [
        _image(axes, frame, colours, panel, look) for axes, frame in zip(grid, frames, strict=False)
    ]
    image = next(filter(None, images), None)
    if image is not None and image.get_array().ndim == 2:
        colour_bar(image, beside, units, look)


def _image(axes: Axes, frame: Frame, scale: dict[str, Any], panel: float, look: Look) -> Any:
    """Draw one image; of a missing one, only that it is."""
    title = "\n".join(one_line(text, 26) for text in frame.title.split("\n"))
    small = look.size(-0.5) or {"fontsize": "small"}
    axes.set_title(title, **small, **PLAIN)
    value = frame.value
    if value is None:
        axes.text(0.5, 0.5, "not there", ha="center", va="center", **look.size(), **PLAIN)
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


def _nothing(axes: Axes, why: str, look: Look) -> None:
    axes.set(xticks=[], yticks=[])
    text = folded(one_line(why, 200), 60)
    place: Any = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    axes.text(0.5, 0.5, text, color=INK, **place, **look.size(), **PLAIN)


def scale(values: Iterable[Array]) -> dict[str, Any]:
    """Return the colours of values, from the darkest to the brightest."""
    low, high = limits(values)
    return {"cmap": COLOURS, "vmin": low, "vmax": high}


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


def dress(axes: Axes, x: str, y: str, look: Look, lines: bool = True) -> None:
    """Label the axes; if they are to be quiet, draw a grid instead of a frame."""
    axes.set_xlabel(x, **look.size(0.5), **PLAIN)
    axes.set_ylabel(folded(y, look.fold), **look.size(0.5), **PLAIN)
    if look.text is not None:
        axes.tick_params(labelsize=look.text, length=2)
        axes.locator_params(nbins=6)
    if not look.quiet:
        return
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(False)  # as a user's style may have one
    if lines:
        axes.grid(color=INK, linewidth=0.5, alpha=0.25)
        axes.set_axisbelow(True)


def colour_bar(image: Any, beside: Axes, label: str, look: Look) -> None:
    """Draw what the colours mean."""
    # Inside of the axes' own frame, so that it is as high as the picture is.
    ground = beside.inset_axes((1.04, 0, 0.05, 1))
    bar = image.get_figure().colorbar(image, cax=ground)
    bar.outline.set_visible(False)
    ground.locator_params(nbins=4)
    if look.text is not None:
        ground.tick_params(labelsize=look.text, length=2)
    bar.set_label(folded(label, look.fold), **look.size(), **PLAIN)


def folded(label: str, width: int) -> str:
    r"""Return a label in a few lines if one is too long for the height of a figure.

    Examples
    --------
    >>> folded("sample_stage_temperature (K)", 20).split("\n")
    ['sample_stage_', 'temperature (K)']
    """
    lines: list[str] = []
    label = both_ends(label, _LINES * width)
    while len(label) > width:
        cut = max(label.rfind(mark, 0, width) for mark in "_ -.:") + 1
        cut = cut if cut > width // 2 else width
        lines.append(label[:cut])
        label = label[cut:]
    return "\n".join([*lines, label])
