"""What is drawn, whatever draws it: lines, a grid, points, images, each in a panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..display.summary import one_line
from .downsample import Array


@dataclass(frozen=True)
class Axis:
    """A column of numbers, and what they are."""

    name: str
    values: Array
    units: str = ""

    @property
    def label(self) -> str:
        """What stands beside the axis."""
        units = f" ({one_line(self.units, 12)})" if self.units else ""
        return both_ends(one_line(self.name, len(self.name) + 1), 50) + units


def both_ends(text: str, limit: int) -> str:
    """Return a text without its middle where it is too long: names differ in their ends.

    Examples
    --------
    >>> both_ends("detector_channel_1", 9)
    'dete…el_1'
    """
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[: limit - 1 - half]}…{text[-half:]}"


@dataclass(frozen=True)
class Frame:
    """The value of one event, small enough to be drawn; None if it cannot be had.

    Its shape is (rows, columns) or (points,), as it was measured.
    """

    title: str
    value: Array | None
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Curve:
    """The points of a line, in order, and what a legend calls it."""

    x: Array
    y: Array
    label: str = ""


@dataclass(frozen=True)
class Lines:
    """Curves over each other, and what their axes are; in steps, a value holds until the next."""

    x: str
    y: str
    curves: tuple[Curve, ...]
    steps: bool = False


@dataclass(frozen=True)
class Grid:
    """Values of shape (rows, columns), NaN where there is none; x is of columns, y of rows."""

    x: Axis
    y: Axis
    z: Axis


@dataclass(frozen=True)
class Points:
    """Values at places that are on no grid."""

    x: Axis
    y: Axis
    z: Axis


@dataclass(frozen=True)
class Strip:
    """Images beside each other, all in one scale."""

    frames: tuple[Frame, ...]
    units: str = ""


@dataclass(frozen=True)
class Nothing:
    """Why there is nothing to be seen."""

    why: str


Contents = Lines | Grid | Points | Strip | Nothing


@dataclass(frozen=True)
class Found:
    """What there is to be seen of a field; it in words; what could not be had, and why."""

    said: str = ""
    contents: Contents | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """One picture, which has axes of its own."""

    name: str
    contents: Contents
    title: str = ""


@dataclass(frozen=True)
class Plot:
    """Panels that stand together, and what they lack."""

    title: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be seen in any panel."""
        return all(isinstance(panel.contents, Nothing) for panel in self.panels)


def overlaid(panels: Sequence[Panel]) -> list[Panel]:
    """Return panels of which those that are a line of one name, on the same axes, are one.

    Examples
    --------
    >>> import numpy
    >>> ones = numpy.ones(2)
    >>> curves = [Lines("motor", "det", (Curve(ones, ones, name),)) for name in ("a", "b")]
    >>> (panel,) = overlaid([Panel("det", each) for each in curves])
    >>> [curve.label for curve in panel.contents.curves]
    ['a', 'b']
    """
    found: dict[object, Panel] = {}
    for number, panel in enumerate(panels):
        match panel.contents:
            case Lines(x, y, [_] as curves, steps):
                there = found.get(key := (panel.name, x, y, steps))
                if there is not None and isinstance(there.contents, Lines):
                    curves = (*there.contents.curves, *curves)
                    panel = Panel(panel.name, Lines(x, y, tuple(curves), steps))
                found[key] = panel
            case _:
                found[number] = panel
    return list(found.values())


def on_one(panels: Sequence[Panel]) -> Panel | None:
    """Return all panels as one, with a curve for each field; None unless they are all lines."""
    lines = [panel.contents for panel in panels if isinstance(panel.contents, Lines)]
    if len(lines) != len(panels) or len({each.x for each in lines}) > 1:
        return None
    several = len({each.y for each in lines}) > 1
    curves = tuple(
        replace(curve, label=", ".join(filter(None, (each.y, curve.label)))) if several else curve
        for each in lines
        for curve in each.curves
    )
    y = "" if several else lines[0].y
    return Panel(panels[0].name, Lines(lines[0].x, y, curves, lines[0].steps))
