"""The events of a stream as pictures need them: numbers in order, and what to draw them against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..display.summary import is_number
from ..errors import DatabrokerError
from ..runs.stream.stream import Stream
from .choose import data_key
from .downsample import Array, as_numbers, sane, span
from .draw import Axis

if TYPE_CHECKING:
    from ..external.fields.filling import OnMissing


# Units of time: their name, their length, and the longest time told in them, in seconds.
_UNITS = (("s", 1, 600), ("min", 60, 36_000), ("h", 3600, 864_000), ("d", 86_400, np.inf))


class Rows:
    """The events that a stream has at one moment; the start of its run is where time begins."""

    def __init__(self, stream: Stream, start: Mapping[str, Any]) -> None:
        index = stream.table([], convert_times=False)
        self.stream = stream
        self.seq_nums: Array = index.index.to_numpy()
        self._times: Array = index["time"].to_numpy(np.float64)
        self._began = start.get("time")
        self._axes: dict[str, Axis] = {}

    def __len__(self) -> int:
        return len(self.seq_nums)

    def numbers(self, field: str, on_missing: OnMissing = "raise") -> Axis:
        """Return a field as one number an event; NaN where there is none."""
        numbers = as_numbers(self.stream.array(field, on_missing)[:])
        values = np.full(len(self), np.nan)  # a run in progress may have more by now
        values[: len(numbers)] = numbers[: len(self)]
        return Axis(field, values, self.units(field))

    def axis(self, field: str) -> Axis:
        """Return what `numbers` returns, or all NaN, and remember it: many pictures share it."""
        if field not in self._axes:
            try:
                self._axes[field] = self.numbers(field)
            except DatabrokerError:  # then others are not drawn against it
                self._axes[field] = self.empty(field)
        return self._axes[field]

    def empty(self, field: str) -> Axis:
        """Return a field of which no number can be had."""
        return Axis(field, np.full(len(self), np.nan))

    def units(self, field: str) -> str:
        """Return the units that a descriptor gives a field; nothing if it gives none."""
        return str(data_key(self.stream, field).get("units") or "")

    def time(self) -> Axis:
        """Return the time since the run began; the number of the event where there is no time."""
        began = self._began
        if not is_number(began) or not np.isfinite(began):
            began = self._times[0] if len(self) else 0.0
        since = sane(self._times) - began
        ends = span(since)
        if ends is None or not np.isfinite(since).all():
            return Axis("event", self.seq_nums.astype(np.float64))
        longest = max(map(abs, ends))
        units, length = next((name, length) for name, length, most in _UNITS if longest <= most)
        return Axis("time since start", since / length, units)
