"""Numbers of events as what is seen of them: lines, and maps of scans in two dimensions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..display.summary import one_line
from ..errors import DatabrokerError
from ..external.fields.filling import UNREADABLE
from ..runs.stream.fields import mapping
from .downsample import Array, on_grid, span, thinned
from .panels import Axis, Curve, Found, Grid, Lines, Points
from .rows import Rows

_MONITOR = "_monitor"  # how Bluesky calls the stream of something that is watched
_SPOTS = 20_000
_CELLS = 2**22  # of a grid


def numbers_seen(
    start: Mapping[str, Any],
    rows: Rows,
    field: str,
    axes: Sequence[str] = (),
    norm: Axis | None = None,
) -> Found:
    """Return a field drawn against what was scanned, the slower first, or against the time.

    It is divided by `norm`.
    """
    values, why = _numbers(rows, field)
    if norm is not None:
        values = divided(values, norm)
    against = _axes(rows, () if field in axes else axes)
    columns = _complete([*against, values])
    ends = span(columns[-1].values)
    if ends is None and why:
        return Found(missing=(f"It cannot be read: {why}",))
    missing = (f"Not all of it can be read: {why}",) if why else ()
    if ends is None:
        return Found(f"no numbers in {events(len(rows))}", None, missing)
    low, high = (f"{end:.4g}" for end in ends)
    spread = low if low == high else f"{low} to {high}"
    spread += values.units and f" {one_line(values.units, 12)}"
    drawn = len(columns[-1].values)
    count = events(len(rows), drawn)
    if drawn == 1:
        return Found(f"{spread} ({count})", _line(rows, *columns[-2:])[1], missing)
    said, contents = _map(start, *columns) if len(against) == 2 else _line(rows, *columns)
    return Found(f"{said} · {count} · {spread}", contents, missing)


def divided(values: Axis, norm: Axis) -> Axis:
    """Return values by others, event by event; NaN where these are zero.

    Examples
    --------
    >>> divided(Axis("det", np.array([4.0, 1.0]), "counts"), Axis("I0", np.array([2.0, 0.0]), "A"))
    Axis(name='det / I0', values=array([ 2., nan]), units='counts/A')
    """
    quotient = np.divide(
        values.values, norm.values, where=norm.values != 0, out=np.full(len(norm.values), np.nan)
    )
    units = "" if values.units == norm.units else f"{values.units or 1}/{norm.units}"
    return Axis(f"{values.name} / {norm.name}", quotient, units if norm.units else values.units)


def events(total: int, good: int | None = None) -> str:
    """Return in words how many events there are, and how many of them are good."""
    of = f"{good:,} of {total:,}" if good not in (None, total) else f"{total:,}"
    return f"{of} event{'' if total == 1 else 's'}"


def _complete(columns: Sequence[Axis]) -> list[Axis]:
    """Return the rows in which no column lacks a number."""
    complete = np.logical_and.reduce([np.isfinite(column.values) for column in columns])
    return [replace(column, values=column.values[complete]) for column in columns]


def _numbers(rows: Rows, field: str) -> tuple[Axis, str]:
    """Return the numbers of a field, and why some or all of them cannot be had."""
    try:
        return rows.numbers(field), ""
    except UNREADABLE as error:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # which would say the same
            return rows.numbers(field, "mask"), reason(error)
    except DatabrokerError as error:
        return rows.empty(field), reason(error)


def reason(error: Exception) -> str:
    """Return what an error says, without the run and the field, which one sees."""
    return getattr(error, "problem", None) or str(error) or type(error).__name__


def _axes(rows: Rows, names: Sequence[str]) -> list[Axis]:
    """Return what a field is drawn against; an axis along which nothing moved is none."""
    columns = [rows.axis(name) for name in names]
    ends = [span(column.values) for column in columns]
    moved = [column for column, end in zip(columns, ends, strict=True) if end and end[0] != end[1]]
    known = [column for column, end in zip(columns, ends, strict=True) if end]
    return moved or known[:1] or [rows.time()]


def _line(rows: Rows, x: Axis, y: Axis) -> tuple[str, Lines]:
    x_values, y_values = thinned(x.values, y.values)
    said = "over time" if x.units else "event by event"
    if x.name in rows.stream:
        said = f"against {x.name}"
    if len(x_values) < len(x.values):
        said += f", in {len(x_values):,} points"
    steps = rows.stream.name.endswith(_MONITOR)
    return said, Lines(x.label, y.label, (Curve(x_values, y_values),), steps)


def _map(start: Mapping[str, Any], slow: Axis, fast: Axis, z: Axis) -> tuple[str, Grid | Points]:
    grid = grid_of(start, slow, fast, z)
    if grid is not None:
        size = f"{len(grid.y.values)} {slow.name} by {len(grid.x.values)} {fast.name}"
        return f"on a grid of {size}", grid
    step = -(-len(z.values) // _SPOTS)
    spots = [replace(column, values=column.values[::step]) for column in (fast, slow, z)]
    said = f"against {slow.name} and {fast.name}"
    if step > 1:
        said += f", in {len(spots[0].values):,} points"
    return said, Points(*spots)


def grid_of(start: Mapping[str, Any], slow: Axis, fast: Axis, z: Axis) -> Grid | None:
    """Return columns, rows and values of a grid, if that is where the motors went."""
    match start.get("shape"):
        case [int() as rows, int() as columns] if min(rows, columns) > 1:
            pass
        case _:
            return None
    if rows * columns > _CELLS or mapping(start.get("hints")).get("gridding") != "rectilinear":
        return None
    planned = _planned(start.get("extents"))
    # Plans relative to where the motors were know no places: then those that they came to.
    measured = [(column.values.min(), column.values.max()) for column in (slow, fast)]
    for ends in filter(None, (planned, measured)):
        (y0, y1), (x0, x1) = ends
        with np.errstate(all="ignore"):  # a document may say infinite
            x = replace(fast, values=np.linspace(x0, x1, columns))
            y = replace(slow, values=np.linspace(y0, y1, rows))
        grid = on_grid(fast.values, slow.values, z.values, x.values, y.values)
        if grid is not None and not (ends is measured and _has_gaps(grid)):
            return Grid(x, y, replace(z, values=grid))
    return None


def _planned(extents: Any) -> Any:
    """Return where a plan says that the rows and the columns begin and end; None if it does not."""
    match extents:
        case [[int() | float(), int() | float()], [int() | float(), int() | float()]]:
            return extents
    return None


def _has_gaps(grid: Array) -> bool:
    """Tell whether some row or column is empty: then the scan has not come to its end."""
    empty = np.isnan(grid)
    return bool(empty.all(axis=0).any() or empty.all(axis=1).any())
