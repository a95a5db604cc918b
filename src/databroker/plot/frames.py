"""Arrays of events as what is seen of them: a few of their images or waveforms."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._util.signals import not_from_signal
from ..display.counting import counted
from ..display.summary import one_line
from .choose import data_key
from .downsample import Array, Kind, Part, part_of, sane, thinned, thumbnail
from .panels import Axis, Curve, Found, Frame, Lines, Strip
from .rows import Rows
from .scans import reason


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


def frames_seen(rows: Rows, field: str, axes: Sequence[str], frames: int) -> Found | None:
    """Return so many values of a field, titled with others; None if they are single numbers."""
    try:
        array = rows.stream[field]
        # Opens the first file, perhaps.
        part = None if array.dtype == object else part_of(array.shape[1:])
    except not_from_signal(Exception) as error:  # what can be had is shown
        return Found(missing=(f"It cannot be read: {reason(error)}",))
    if part is not None and part.kind == "number":
        return None
    count = min(len(array), len(rows))
    chosen = np.unique(np.linspace(0, count - 1, min(frames, count)).round().astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what is found says it itself
        samples = [_sample(array, int(row), part) for row in chosen]
    kinds = [sample.part.kind for sample in samples if sample.part]
    kind = next((kind for kind in kinds if kind != "number"), None)
    if kinds and kind is None:
        return None
    samples = [_of_kind(sample, kind) for sample in samples]
    missing = _missing(rows, [sample for sample in samples if sample.value is None])
    good = [sample for sample in samples if sample.value is not None]
    if not good:
        return Found(missing=missing)
    said = _said(good, count)
    if disagreement := getattr(array, "disagreement", None):
        said += f" · not as described: {disagreement}"
    return Found(said, _contents(rows, field, kind, samples, axes), missing)


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
        return _Sample(row, reason(error))
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


def _contents(
    rows: Rows, field: str, kind: Kind | None, samples: Sequence[_Sample], axes: Sequence[str]
) -> Lines | Strip:
    units, joint = rows.units(field), ", " if kind == "wave" else "\n"
    titles = [joint.join(_title(rows, sample.row, axes)) for sample in samples]
    if kind == "wave":
        curves = [
            Curve(sample.value[0], sample.value[1], title)
            for title, sample in zip(titles, samples, strict=True)
            if sample.value is not None
        ]
        label = Axis(field, np.empty(0), units).label
        return Lines(_dimension(rows, field), label, tuple(curves))
    frames = [
        Frame(title, sample.value, sample.size[:2])
        for title, sample in zip(titles, samples, strict=True)
    ]
    return Strip(tuple(frames), units)


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
        f"{len(samples)} of {counted(count, 'event')}",
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


def _by(shape: Sequence[int]) -> str:
    if len(shape) == 1:
        return f"{shape[0]:,} points"
    return " x ".join(map(str, shape)) or "a single value"
