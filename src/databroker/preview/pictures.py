"""Pictures of fields: a few of their images or waveforms, lines, and maps of scans in 2D."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .._util.printable import printable
from .._util.signals import not_from_signal
from ..display.summary import one_line
from ..errors import DatabrokerError
from ..external.fields.filling import UNREADABLE
from ..runs.stream.fields import mapping
from .choose import data_key
from .downsample import Array, Kind, Part, on_grid, part_of, sane, span, thinned, thumbnail
from .draw import Axis, Frame, line, maps, scatter, strip, waves
from .rows import Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_MONITOR = "_monitor"  # how Bluesky calls the stream of something that is watched
_SPOTS = 20_000
_CELLS = 2**22  # of a grid


@dataclass(frozen=True)
class Picture:
    """One picture of a preview.

    Without `draw`, there is nothing to be seen; `missing` says what could not be had, and why.
    """

    stream: str
    field: str
    said: str
    draw: Callable[[], Figure] | None = None
    missing: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return printable(f"<Picture {self.field!r} of {self.stream!r}: {self.said}>", lines=False)


@dataclass(frozen=True)
class _Sample:
    """The value of one event, made small; or why there is none."""

    row: int
    why: str = ""
    part: Part | None = None
    value: Array | None = None
    size: tuple[int, ...] = ()  # of what the small value stands for
    shape: tuple[int, ...] = ()  # of the whole value
    dtype: str = ""


def array_picture(rows: Rows, field: str, axes: Sequence[str], frames: int) -> Picture | None:
    """Return so many values of a field, titled with others; None if they are single numbers."""
    picture = partial(Picture, rows.stream.name, field)
    try:
        array = rows.stream[field]
        # Opens the first file, perhaps.
        part = None if array.dtype == object else part_of(array.shape[1:])
    except not_from_signal(Exception) as error:  # a preview shows what can be had
        return picture("", missing=(f"It cannot be read: {_reason(error)}",))
    if part is not None and part.kind == "number":
        return None
    count = min(len(array), len(rows))
    chosen = np.unique(np.linspace(0, count - 1, min(frames, count)).round().astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the picture says it itself
        samples = [_sample(array, int(row), part) for row in chosen]
    kinds = [sample.part.kind for sample in samples if sample.part]
    kind = next((kind for kind in kinds if kind != "number"), None)
    if kinds and kind is None:
        return None
    samples = [_of_kind(sample, kind) for sample in samples]
    missing = _missing(rows, [sample for sample in samples if sample.value is None])
    good = [sample for sample in samples if sample.value is not None]
    if not good:
        return picture("", missing=missing)
    said = _said(good, count)
    if disagreement := getattr(array, "disagreement", None):
        said += f" · not as described: {disagreement}"
    return picture(said, _drawing(rows, field, kind, samples, axes), missing)


def _sample(array: Any, row: int, part: Part | None) -> _Sample:
    """Read one value, and no more of it than will be seen."""
    try:
        if part is None:
            whole = np.asarray(array[row])
            part, shape = part_of(whole.shape), whole.shape
            value = np.asarray(whole[part.index])
        else:
            value, shape = np.asarray(array[(row, *part.index)]), array.shape[1:]
    except not_from_signal(Exception) as error:  # as above
        return _Sample(row, _reason(error))
    if value.dtype == object and value.ndim == 0 and value.item() is None:
        return _Sample(row, "no value")
    if value.dtype.kind not in "biufc":
        return _Sample(row, "not numbers")
    if not value.size:
        return _Sample(row, f"empty ({_by(shape)})")
    small = _small(value, part.kind)
    if not np.isfinite(small).any():
        return _Sample(row, "no numbers, only NaN")
    return _Sample(row, "", part, small, value.shape, shape, str(value.dtype))


def _small(value: Array, kind: Kind) -> Array:
    if kind in ("image", "colour"):
        return thumbnail(value)
    numbers = sane(np.abs(value) if value.dtype.kind == "c" else value)
    if kind == "number":
        return numbers
    return np.stack(thinned(np.arange(len(numbers), dtype=np.float64), numbers))


def _of_kind(sample: _Sample, kind: Kind | None) -> _Sample:
    if sample.part is None or sample.part.kind == kind:
        return sample
    return _Sample(sample.row, f"{_by(sample.shape)}, unlike the others")


def _drawing(
    rows: Rows, field: str, kind: Kind | None, samples: Sequence[_Sample], axes: Sequence[str]
) -> partial[Any]:
    units, joint = rows.units(field), ", " if kind == "wave" else "\n"
    frames = [
        Frame(joint.join(_title(rows, sample.row, axes)), sample.value, sample.size[:2])
        for sample in samples
    ]
    if kind == "wave":
        label = Axis(field, np.empty(0), units).label
        return partial(waves, frames, label, _dimension(rows, field))
    return partial(strip, frames, units)


def _dimension(rows: Rows, field: str) -> str:
    """Return what the descriptor calls the axis of a waveform."""
    match data_key(rows.stream, field).get("dims"):
        case [*_, str() as name]:
            return one_line(name, 40)
    return "index"


def _title(rows: Rows, row: int, axes: Sequence[str]) -> list[str]:
    places = [(one_line(name, 13), rows.axis(name).values[row]) for name in axes]
    known = [f"{name} = {place:.4g}" for name, place in places if np.isfinite(place)]
    return [f"event {rows.seq_nums[row]}", *known]


def _said(samples: Sequence[_Sample], count: int) -> str:
    first = samples[0]
    alike = len({sample.shape for sample in samples}) == 1
    facts = [
        f"{len(samples)} of {count:,} event{'' if count == 1 else 's'}",
        _by(first.shape) if alike else "various shapes",
        first.dtype + (" (its magnitude)" if first.dtype.startswith("complex") else ""),
        first.part.said if first.part else "",
    ]
    return " · ".join(filter(None, facts))


def _missing(rows: Rows, samples: Sequence[_Sample]) -> tuple[str, ...]:
    """Return why some values cannot be seen: the first of them stands for all."""
    if not samples:
        return ()
    numbers = [str(rows.seq_nums[sample.row]) for sample in samples]
    same = len({sample.why for sample in samples}) == 1
    first = "" if same else f"of event {numbers[0]}, "
    events = f"Event{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}"
    return (f"{events} cannot be shown: {first}{samples[0].why}",)


def _reason(error: Exception) -> str:
    """Return what an error says, without the run and the field, which one sees."""
    return getattr(error, "problem", None) or str(error) or type(error).__name__


def _by(shape: Sequence[int]) -> str:
    if len(shape) == 1:
        return f"{shape[0]:,} points"
    return " x ".join(map(str, shape)) or "a single value"


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
            return rows.numbers(field, "mask"), _reason(error)
    except DatabrokerError as error:
        return rows.empty(field), _reason(error)


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
            return x, y, replace(z, values=grid)
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


def _events(total: int, good: int | None = None) -> str:
    of = f"{good:,} of {total:,}" if good not in (None, total) else f"{total:,}"
    return f"{of} event{'' if total == 1 else 's'}"
