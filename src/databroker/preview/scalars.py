"""Pictures of fields with one number an event: lines, and maps of scans in two dimensions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..display.summary import one_line
from ..errors import DatabrokerError
from ..external.fields.filling import UNREADABLE
from ..runs.stream.fields import mapping
from .arrays import reason
from .downsample import on_grid, span, thinned
from .draw import Axis, line, maps, scatter
from .page import Picture
from .rows import Rows

__all__ = ["scalar_picture"]

Array = np.ndarray[Any, Any]

_MONITOR = "_monitor"  # how Bluesky calls the stream of something that is watched
_SPOTS = 20_000


def scalar_picture(
    start: Mapping[str, Any], rows: Rows, field: str, axes: Sequence[str] = ()
) -> Picture:
    """Return a field drawn against what was scanned, the slower first, or against the time."""
    values, why = _numbers(rows, field)
    against = _axes(rows, () if field in axes else axes)
    columns = _complete([*against, values])
    ends = span(columns[-1].values)
    if ends is None and why:
        return Picture(rows.stream.name, field, "", missing=(f"It cannot be read: {why}",))
    missing = (f"Not all of it can be read: {why}",) if why else ()
    picture = partial(Picture, rows.stream.name, field, missing=missing)
    if ends is None:
        return picture(f"no numbers in {_events(len(rows))}")
    low, high = (f"{end:.4g}" for end in ends)
    spread = low if low == high else f"{low} to {high}"
    spread += values.units and f" {one_line(values.units, 12)}"
    drawn = len(columns[-1].values)
    count = _events(len(rows), drawn)
    if drawn == 1:
        return picture(f"{spread} ({count})")
    said, draw = _map(start, *columns) if len(against) == 2 else _line(rows, *columns)
    return picture(f"{said} · {count} · {spread}", draw)


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


def _axes(rows: Rows, names: Sequence[str]) -> list[Axis]:
    """Return what a field is drawn against; an axis along which nothing moved is none."""
    columns = [rows.axis(name) for name in names]
    ends = [span(column.values) for column in columns]
    moved = [column for column, end in zip(columns, ends, strict=True) if end and end[0] != end[1]]
    known = [column for column, end in zip(columns, ends, strict=True) if end]
    return moved or known[:1] or [rows.time()]


def _line(rows: Rows, x: Axis, y: Axis) -> tuple[str, partial[Any]]:
    x_values, y_values = thinned(x.values, y.values)
    said = "over time" if x.units else "event by event"
    if x.name in rows.stream:
        said = f"against {x.name}"
    if len(x_values) < len(x.values):
        said += f", in {len(x_values):,} points"
    few = replace(x, values=x_values), replace(y, values=y_values)
    return said, partial(line, *few, steps=rows.stream.name.endswith(_MONITOR))


def _map(start: Mapping[str, Any], slow: Axis, fast: Axis, z: Axis) -> tuple[str, partial[Any]]:
    grid = _grid(start, slow, fast, z)
    if grid is not None:
        x, y, _ = grid
        said = f"on a grid of {len(y.values)} {slow.name} by {len(x.values)} {fast.name}"
        return said, partial(maps, *grid)
    step = -(-len(z.values) // _SPOTS)
    spots = [replace(column, values=column.values[::step]) for column in (fast, slow, z)]
    said = f"against {slow.name} and {fast.name}"
    if step > 1:
        said += f", in {len(spots[0].values):,} points"
    return said, partial(scatter, *spots)


def _grid(
    start: Mapping[str, Any], slow: Axis, fast: Axis, z: Axis
) -> tuple[Axis, Axis, Axis] | None:
    """Return columns, rows and values of a grid, if that is where the motors went."""
    if mapping(start.get("hints")).get("gridding") != "rectilinear":
        return None
    match start.get("shape"):
        case [int() as rows, int() as columns]:
            shape = (rows, columns)
        case _:
            return None
    planned = _planned(start.get("extents"))
    across, down = span(fast.values), span(slow.values)
    # Plans relative to where the motors were know no places: then those that they came to.
    measured = (*across, *down) if across and down else None
    for ends in filter(None, (planned, measured)):
        grid = on_grid(fast.values, slow.values, z.values, shape, ends)
        if grid is None or (ends is measured and _has_gaps(grid)):
            continue
        x = replace(fast, values=np.linspace(*ends[:2], shape[1]))
        y = replace(slow, values=np.linspace(*ends[2:], shape[0]))
        return x, y, replace(z, values=grid)
    return None


def _planned(extents: Any) -> tuple[float, float, float, float] | None:
    """Return where a plan says that the columns and the rows begin and end."""
    match extents:
        case [
            [int() | float() as y0, int() | float() as y1],
            [int() | float() as x0, int() | float() as x1],
        ]:
            return x0, x1, y0, y1
    return None


def _has_gaps(grid: Array) -> bool:
    """Tell whether some row or column is empty: then the scan has not come to its end."""
    empty = np.isnan(grid)
    return bool(empty.all(axis=0).any() or empty.all(axis=1).any())


def _events(total: int, good: int | None = None) -> str:
    of = f"{good:,} of {total:,}" if good not in (None, total) else f"{total:,}"
    return f"{of} event{'' if total == 1 else 's'}"
