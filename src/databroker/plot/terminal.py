"""A plot as text: everything that comes from documents is made harmless, and stays in its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np
from rich.cells import cell_len, set_cell_size

from ..display.summary import one_line
from .canvas import MARKS, lines, points
from .colours import Depth, line_colour, painted, picture
from .downsample import Array, limits, span
from .panels import Axis, Contents, Curve, Frame, Grid, Lines, Nothing, Panel, Plot, Points, Strip
from .ticks import labels, padded, ticks

_TALLEST = 30  # lines of a panel
_LOWEST = 14
_THUMB = 25  # columns of an image
_GAP = 2


def plot_text(plot: Plot, width: int, height: int, depth: Depth) -> str:
    """Return a plot as lines of at most so many columns; `height` is that of the terminal."""
    room = min(max((height - 2) // max(len(plot.panels), 1), _LOWEST), _TALLEST)
    found = list(_wrapped(plot.title, width))
    for panel in plot.panels:
        gap = [""] if panel is not plot.panels[0] else []
        found += [*gap, *_titled(panel, width), *_drawn(panel.contents, width, room - 4, depth)]
    return "\n".join(line.rstrip() for line in found)


def _titled(panel: Panel, width: int) -> Iterator[str]:
    name = panel.name if isinstance(panel.contents, Strip) else ""
    text = " · ".join(filter(None, (one_line(name, 50), panel.title)))
    if text:
        yield cut(text, width)


def _drawn(contents: Contents, width: int, height: int, depth: Depth) -> Iterator[str]:
    match contents:
        case Lines():
            yield from _legend(contents.curves, width, depth)
            yield cut(contents.y, width)
            yield from lines(contents.curves, width, height, depth, contents.steps)
            yield centred(contents.x, width)
        case Grid(x, y, z):
            yield from _grid(x, y, z, width, height, depth)
        case Points(x, y, z):
            yield _bar(z, width, depth)
            yield cut(y.label, width)
            yield from points(x.values, y.values, _shades(z.values), width, height, depth)
            yield centred(x.label, width)
        case Strip(frames, units):
            yield from _strip(frames, units, width, depth)
        case Nothing(why):
            yield from _wrapped(one_line(why, 300), width)


def cut(text: str, width: int) -> str:
    """Return a text that fits, ending with '…' where it did not."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def centred(text: str, width: int) -> str:
    """Return a text in the middle of a line."""
    text = cut(text, width)
    return " " * ((width - cell_len(text)) // 2) + text


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Yield a text as lines, which end at a dot or a space if they can."""
    import textwrap

    for line in textwrap.wrap(text, width):
        yield cut(line, width)


def _legend(curves: Sequence[Curve], width: int, depth: Depth) -> Iterator[str]:
    """Yield what the colours, or else the marks, of several curves mean."""
    if len(curves) < 2:
        return
    line, used = "", 0
    for number, curve in enumerate(curves):
        text = cut(one_line(curve.label, 60), width - 2)
        if used and used + _GAP + 2 + cell_len(text) > width:
            yield line
            line, used = "", 0
        mark = MARKS[number % len(MARKS)] if depth == "none" else "━"
        sign = painted(mark, line_colour(number, len(curves)), depth)
        gap = " " * _GAP if used else ""
        line += f"{gap}{sign} {text}"
        used += len(gap) + 2 + cell_len(text)
    yield line


def _shades(values: Array) -> Array:
    """Return values between 0 and 1; NaN stays."""
    low, high = limits([values])
    return np.clip((values - low) / (high - low), 0, 1)


def _bar(z: Axis, width: int, depth: Depth) -> str:
    """Return what the colours mean, as a line."""
    low, high = (f"{end:.4g}" for end in limits([z.values]))
    size = min(24, max(width // 4, 4))
    scale = np.linspace(0, 1, size)[np.newaxis]
    room = width - size - len(low) - len(high) - 4
    label = cut(z.label, room)
    return f"{label}{'  ' if label else ''}{low} {picture(scale, size, 1, depth)[0]} {high}"


def _grid(x: Axis, y: Axis, z: Axis, width: int, height: int, depth: Depth) -> Iterator[str]:
    """Yield a map in a frame, its axes going upwards whichever way the motors went."""
    values = z.values
    across, up = (float(axis.values[0] > axis.values[-1]) for axis in (x, y))
    values = values[:, ::-1] if across else values
    values = values if up else values[::-1]  # lines of a terminal go downwards
    bottom, top = _borders(y.values)
    places = [place for place in ticks(bottom, top, max(2, height // 4)) if bottom < place < top]
    texts = labels(places)
    margin = max(map(len, texts), default=0)
    columns = max(min(width - margin - 2, 4 * height), 4)
    rows = [
        min(int((top - place) / (top - bottom) * height), height - 1) if top > bottom else 0
        for place in places
    ]
    beside = dict(zip(rows, texts, strict=True))
    yield _bar(z, width, depth)
    yield cut(y.label, width)
    yield f"{'':{margin}}┌{'─' * columns}┐"
    for number, line in enumerate(picture(_shades(values), columns, height, depth)):
        edge = "┤" if number in beside else "│"
        yield f"{beside.get(number, ''):>{margin}}{edge}{line}│"
    yield from _below(x, margin, columns, width)


def _below(x: Axis, margin: int, columns: int, width: int) -> Iterator[str]:
    """Yield the lower edge of a frame, with ticks and what they mean."""
    left, right = _borders(x.values)
    edge, under = ["─"] * columns, [" "] * (margin + columns + 2)
    places = [place for place in ticks(left, right, columns // 10) if left < place < right]
    for place, text in zip(places, labels(places), strict=True):
        column = min(int((place - left) / (right - left) * columns), columns - 1)
        first = margin + 1 + column - len(text) // 2
        if first >= 0 and first + len(text) <= len(under):
            edge[column] = "┬"
            under[first : first + len(text)] = text
    yield f"{'':{margin}}└{''.join(edge)}┘"
    yield "".join(under)
    yield centred(x.label, min(2 * margin + columns + 2, width))


def _borders(places: Array) -> tuple[float, float]:
    low, high = padded(span(places) or (0.0, 1.0))
    half = (high - low) / max(len(places) - 1, 1) / 2
    return low - half, high + half


def _strip(frames: Sequence[Frame], units: str, width: int, depth: Depth) -> Iterator[str]:
    """Yield images beside each other, as many as there is room for, all in one scale."""
    values = [frame.value for frame in frames if frame.value is not None]
    low, high = limits(values)
    if all(value.ndim == 2 for value in values):  # others are colours themselves
        yield _bar(Axis(units and one_line(units, 12), np.array([low, high])), width, depth)
    beside = max(1, (width + _GAP) // (_THUMB + _GAP))
    columns = min((width + _GAP) // min(beside, len(frames)) - _GAP, 48)
    for first in range(0, len(frames), beside):
        blocks = [
            _thumb(frame, low, high, columns, depth) for frame in frames[first : first + beside]
        ]
        for row in zip_longest(*blocks, fillvalue=" " * columns):
            yield (" " * _GAP).join(row)


def _thumb(frame: Frame, low: float, high: float, columns: int, depth: Depth) -> list[str]:
    """Return an image below its title, all lines of one width."""
    titles = frame.title.split("\n")
    title = [set_cell_size(cut(one_line(text), columns), columns) for text in titles]
    if frame.value is None:
        return [*title, set_cell_size("not there", columns)]
    rows, wide = frame.shape[:2]
    # A character is twice as high as it is wide.
    height = min(max(round(columns * rows / wide / 2), 2), columns)
    values = np.clip((frame.value - low) / (high - low), 0, 1)
    return [*title, *picture(values, columns, height, depth)]
