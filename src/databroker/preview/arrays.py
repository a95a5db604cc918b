"""Pictures of fields with an image or a waveform an event: a few of them are read."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from .._util.signals import from_signal
from ..display.summary import one_line
from .choose import data_key
from .draw import Axis, Frame, strip, waves
from .page import Picture
from .pixels import Part, part_of, sane, thinned, thumbnail
from .rows import Rows

__all__ = ["array_picture", "reason"]

Array = np.ndarray[Any, Any]
Kind = Literal["number", "wave", "image", "colour"]


@dataclass(frozen=True)
class _Look:
    """One value, made small; or why there is none."""

    place: int
    part: Part | None = None
    value: Array | None = None
    size: tuple[int, ...] = ()  # of what the small value stands for
    shape: tuple[int, ...] = ()  # of the whole value
    dtype: str = ""
    why: str = ""


def array_picture(rows: Rows, field: str, axes: Sequence[str], frames: int) -> Picture | None:
    """Return a few values of a field; None if they turn out to be single numbers.

    Parameters
    ----------
    rows
        The events.
    axes
        Fields whose values are written above each image.
    frames
        How many are read.
    """
    picture = partial(Picture, rows.stream.name, field)
    try:
        array = rows.stream[field]
        # Opens the first file, perhaps.
        part = None if array.dtype == object else part_of(array.shape[1:])
    except Exception as error:  # a preview shows what it can, and tells of the rest
        if from_signal(error):
            raise
        return picture("", missing=(f"It cannot be read: {reason(error)}",))
    if part is not None and part.kind == "number":
        return None
    count = min(len(array), len(rows))
    places = np.unique(np.linspace(0, count - 1, min(frames, count)).round().astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the picture says it itself
        looks = [_look(array, int(place), part) for place in places]
    kinds = [look.part.kind for look in looks if look.part]
    if kinds and set(kinds) == {"number"}:
        return None
    kind = next((kind for kind in kinds if kind != "number"), None)
    looks = [_of_kind(look, kind) for look in looks]
    missing = _missing(rows, [look for look in looks if look.value is None])
    there = [look for look in looks if look.value is not None]
    if not there:
        return picture("", missing=missing)
    said = _said(there, count)
    if disagreement := getattr(array, "disagreement", None):
        said += f" · not as described: {disagreement}"
    return picture(said, _drawing(rows, field, looks, axes), missing)


def _look(array: Any, place: int, part: Part | None) -> _Look:
    """Read one value, and no more of it than will be seen."""
    try:
        if part is None:
            whole = np.asarray(array[place])
            part, shape = part_of(whole.shape), whole.shape
            value = np.asarray(whole[part.index])
        else:
            value, shape = np.asarray(array[(place, *part.index)]), array.shape[1:]
    except Exception as error:  # as above
        if from_signal(error):
            raise
        return _Look(place, why=reason(error))
    if value.dtype == object and value.ndim == 0 and value.item() is None:
        return _Look(place, why="no value")
    if value.dtype.kind not in "biufc":
        return _Look(place, why="not numbers")
    if not value.size:
        return _Look(place, why=f"empty ({_by(shape)})")
    small = _small(value, part)
    if not np.isfinite(small).any():
        return _Look(place, why="no numbers, only NaN")
    return _Look(place, part, small, value.shape, shape, str(value.dtype))


def _small(value: Array, part: Part) -> Array:
    if part.kind in ("image", "colour"):
        return thumbnail(value)
    numbers = sane(np.abs(value) if value.dtype.kind == "c" else value)
    if part.kind == "number":
        return numbers
    return np.stack(thinned(np.arange(len(numbers), dtype=np.float64), numbers))


def _of_kind(look: _Look, kind: Kind | None) -> _Look:
    if look.part is None or look.part.kind == kind:
        return look
    return _Look(look.place, why=f"{_by(look.shape)}, unlike the others")


def _drawing(rows: Rows, field: str, looks: list[_Look], axes: Sequence[str]) -> partial[Any]:
    units = rows.units(field)
    titles = [_title(rows, look.place, axes) for look in looks]
    pairs = list(zip(looks, titles, strict=True))
    if any(look.part and look.part.kind == "wave" for look in looks):
        lines = [Frame(", ".join(title), look.value) for look, title in pairs]
        return partial(waves, lines, Axis(field, np.empty(0), units).label, _dimension(rows, field))
    images = [Frame("\n".join(title), look.value, look.size[:2]) for look, title in pairs]
    return partial(strip, images, units)


def _dimension(rows: Rows, field: str) -> str:
    """Return what the descriptor calls the axis of a waveform."""
    match data_key(rows.stream, field).get("dims"):
        case [*_, str() as name]:
            return one_line(name, 40)
    return "index"


def _title(rows: Rows, place: int, axes: Sequence[str]) -> list[str]:
    lines = [f"event {rows.seq_nums[place]}"]
    for name in axes:
        value = rows.axis(name).values[place]
        if np.isfinite(value):
            lines.append(f"{one_line(name, 13)} = {value:.4g}")
    return lines


def _said(there: list[_Look], count: int) -> str:
    first = there[0]
    shape = _by(first.shape) if len({look.shape for look in there}) == 1 else "various shapes"
    magnitude = " (its magnitude)" if first.dtype.startswith("complex") else ""
    events = f"{len(there)} of {count:,} event{'' if count == 1 else 's'}"
    said = [events, shape, first.dtype + magnitude, first.part.said if first.part else ""]
    return " · ".join(filter(None, said))


def _missing(rows: Rows, looks: list[_Look]) -> tuple[str, ...]:
    """Return why some values cannot be seen: the first of them stands for all."""
    if not looks:
        return ()
    numbers = [str(rows.seq_nums[look.place]) for look in looks]
    if len(numbers) == 1:
        return (f"Event {numbers[0]} cannot be shown: {looks[0].why}",)
    same = len({look.why for look in looks}) == 1
    first = "" if same else f"of event {numbers[0]}, "
    return (f"Events {', '.join(numbers)} cannot be shown: {first}{looks[0].why}",)


def reason(error: Exception) -> str:
    """Return what an error says, without the run and the field, which one sees.

    Examples
    --------
    >>> reason(OSError("there is no file."))
    'there is no file.'
    """
    return getattr(error, "problem", None) or str(error) or type(error).__name__


def _by(shape: Sequence[int]) -> str:
    if len(shape) == 1:
        return f"{shape[0]:,} points"
    return " x ".join(map(str, shape)) or "a single value"
