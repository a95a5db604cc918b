"""Values of any size made small enough to look at. Numbers only; nothing is drawn here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]
Kind = Literal["number", "wave", "image", "colour"]

_DARKEST, _BRIGHTEST = 0.5, 99.5  # percentiles: a few dead or hot pixels do not set the scale
_PIXELS = 256  # of a thumbnail, each way
_AT_ONCE = 2**24  # pixels of one frame that are loaded
_POINTS = 2000  # of a line
_OFF_GRID = 0.3  # of a step, which a motor may be away from its place
# Programs mark what they do not know with the largest float there is.
_LARGEST = np.float64(1e100)  # of this type, as float32 would overflow in a comparison


@dataclass(frozen=True)
class Part:
    """What of a value is looked at, what it then is, and in words what was left out.

    A colour image has a last axis of 3 or 4.
    """

    index: tuple[int | slice, ...]
    kind: Kind
    said: str = ""


def part_of(shape: Sequence[int]) -> Part:
    """Return what to look at of a value of this shape: of a stack, the frame in the middle.

    Axes of length 1 do not count. Of a very large image, each second or third
    pixel is taken.

    Examples
    --------
    >>> part_of((48, 64))
    Part(index=(slice(None, None, 1), slice(None, None, 1)), kind='image', said='')
    >>> part_of((1, 48, 64)).index[0], part_of((100, 1)).kind, part_of((48, 64, 3)).kind
    (0, 'wave', 'colour')
    >>> part_of((10, 48, 64)).said
    'the 6th of 10 frames of each event'
    """
    axes = [axis for axis, size in enumerate(shape) if size != 1]
    index: list[int | slice] = [0] * len(shape)
    if len(axes) < 2:
        for axis in axes:
            index[axis] = slice(None)
        return Part(tuple(index), "wave" if axes else "number")
    colour = len(axes) > 2 and axes[-1] == len(shape) - 1 and shape[-1] in (3, 4)
    deep = axes[: -3 if colour else -2]
    flat = axes[len(deep) : len(deep) + 2]
    step = max(1, math.ceil(math.sqrt(math.prod(shape[axis] for axis in flat) / _AT_ONCE)))
    for axis in axes[len(deep) :]:
        index[axis] = slice(None, None, step) if axis in flat else slice(None)
    for axis in deep:
        index[axis] = shape[axis] // 2
    said = ", ".join(f"the {_ordinal(shape[axis] // 2 + 1)} of {shape[axis]:,}" for axis in deep)
    kind: Kind = "colour" if colour else "image"
    return Part(tuple(index), kind, said and f"{said} frames of each event")


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 * (number % 100 not in (11, 12, 13)), "th")
    return f"{number}{ending}"


def as_numbers(values: Any) -> Array:
    """Return values as floats, one each; what is no number is NaN."""
    array = np.asarray(values)
    if array.dtype.kind in "biuf" and array.size == len(array):
        return sane(array.reshape(len(array)))
    return sane(np.array([_number(value) for value in array], np.float64))


def _number(value: Any) -> float:
    try:
        array = np.asarray(value)
        number = array.item() if array.size == 1 else None
        return float(number) if isinstance(number, int | float) else math.nan
    except (ValueError, OverflowError):  # lists of unlike lengths; a huge integer
        return math.nan


def thumbnail(frame: Array, most: int = _PIXELS) -> Array:
    """Return an image as floats, at most so many pixels each way.

    Neighbouring pixels become their mean, so that a single bright one stays
    to be seen. Those that are NaN or infinite do not count.
    """
    rows, columns = frame.shape[:2]
    down, across = (max(1, math.ceil(size / most)) for size in (rows, columns))
    if frame.dtype.kind == "c":
        frame = np.abs(frame)
    blocks = frame[: rows // down * down, : columns // across * across]
    blocks = blocks.reshape(rows // down, down, columns // across, across, *frame.shape[2:])
    if frame.dtype.kind != "f":
        return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float64))
    good = np.abs(blocks) < _LARGEST
    total = np.sum(blocks, axis=(1, 3), where=good, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # where no pixel is good
        return np.asarray(total / good.sum(axis=(1, 3)))


def resized(values: Array, rows: int, columns: int) -> Array:
    """Return a grid, or one of colours, as so many rows and columns: means, or values repeated.

    Examples
    --------
    >>> resized(np.array([[1.0, 3.0], [np.nan, 5.0]]), 1, 4)
    array([[1., 1., 4., 4.]])
    """
    good = np.isfinite(values)
    total, count = np.where(good, values, 0.0), good.astype(np.float64)
    for axis, wanted in ((0, rows), (1, columns)):
        size = values.shape[axis]
        first = np.arange(wanted) * size // wanted
        if size > wanted:
            total, count = (np.add.reduceat(each, first, axis) for each in (total, count))
        else:
            total, count = (each.take(first, axis) for each in (total, count))
    with np.errstate(invalid="ignore"):  # where nothing is good
        return np.asarray(total / count)


def sane(values: Array) -> Array:
    """Return numbers as floats that can be drawn; the others are NaN."""
    floats = np.asarray(values, np.float64)
    return np.where(np.abs(floats) < _LARGEST, floats, np.nan)


def limits(frames: Iterable[Array]) -> tuple[float, float]:
    """Return the values that become the darkest and the brightest colour of all frames."""
    values = np.concatenate([np.empty(0), *(frame[np.isfinite(frame)] for frame in frames)])
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, [_DARKEST, _BRIGHTEST])
    if low == high:  # nearly all pixels are alike: let the others be seen
        low, high = values.min(), values.max()
    half = max(0.5, abs(low) * 1e-6) if low == high else 0.0
    return float(low - half), float(high + half)


def span(values: Array) -> tuple[float, float] | None:
    """Return the smallest and the largest number; None if there is none."""
    good = values[np.isfinite(values)]
    return (float(good.min()), float(good.max())) if good.size else None


def thinned(x: Array, y: Array, most: int = _POINTS) -> tuple[Array, Array]:
    """Return the points of a line that are numbers, at most so many, in their order.

    Of each stretch of points, the lowest and the highest are kept, so that no
    spike is lost.
    """
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    if len(y) <= most:
        return x, y
    stretches = np.array_split(np.arange(len(y)), most // 2)
    ends = [each[end(y[each])] for each in stretches for end in (np.argmin, np.argmax)]
    kept = np.unique(ends)  # a flat stretch has both in one place
    return x[kept], y[kept]


def on_grid(x: Array, y: Array, z: Array, columns: Array, rows: Array) -> Array | None:
    """Return values as a grid of rows along y and columns along x; NaN where there is none.

    Rows and columns are where those should be, evenly spaced. None if the values do not lie on
    this grid, or two share a place.

    Examples
    --------
    >>> x, y = np.array([0, 1, 1.02, 0]), np.array([5, 5, 6, 6])
    >>> on_grid(x, y, np.array([1, 2, 3, 4]), np.array([0, 1]), np.array([5, 6]))
    array([[1., 2.],
           [4., 3.]])
    >>> on_grid(x + 0.4, y, np.array([1, 2, 3, 4]), np.array([0, 1]), np.array([5, 6]))
    """
    indices = []
    for values, places in ((y, rows), (x, columns)):
        with np.errstate(all="ignore"):  # ends that are infinite, or the same
            steps = (values - places[0]) / (places[1] - places[0])
            index = np.rint(steps)
            fits = (abs(steps - index) <= _OFF_GRID) & (index >= 0) & (index < len(places))
        if not fits.all():
            return None
        indices.append(index.astype(int))
    grid = np.full((len(rows), len(columns)), np.nan)
    grid[tuple(indices)] = z
    # None of the values is NaN: where two share a place, one has gone.
    return grid if np.isfinite(grid).sum() == len(z) else None
