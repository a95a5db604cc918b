"""The events of a stream as plots need them: numbers in order, and what to draw them against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..display.summary import is_number
from ..errors import DatabrokerError
from ..runs.stream.stream import Stream
from .choose import data_key
from .downsample import Array, as_numbers, sane, span
from .panels import Axis

if TYPE_CHECKING:
    from ..external.fields.filling import OnMissing


# Units of time: their name, their length, and the longest time told in them, in seconds.
_UNITS = (("s", 1, 600), ("min", 60, 36_000), ("h", 3600, 864_000), ("d", 86_400, np.inf))


SPECIAL = ("time", "seq_num")
"""What each event can be drawn against, beside its fields."""


class Rows:
    """The events that a stream has at one moment; the start of its run is where time begins."""

    def __init__(self, stream: Stream, start: Mapping[str, Any]) -> None:
        index = stream.table([], convert_times=False)
        self.stream = stream
        self.seq_nums: Array = index.index.to_numpy()
        self._times: Array = index["time"].to_numpy(np.float64)
        self._began = start.get("time")
        self._axes: dict[str, Axis] = {}
        self.longest = self.lasted
        """The longest time that is to be told in one unit, in seconds."""

    def __len__(self) -> int:
        return len(self.seq_nums)

    def numbers(self, field: str, on_missing: OnMissing = "raise") -> Axis:
        """Return a field as one number an event; NaN where there is none."""
        numbers = as_numbers(self.stream.array(field, on_missing)[:])
        values = np.full(len(self), np.nan)  # a run in progress may have more by now
        values[: len(numbers)] = numbers[: len(self)]
        return Axis(field, values, self.units(field))

    def axis(self, field: str) -> Axis:
        """Return what `numbers` returns, or all NaN, and remember it: many panels share it."""
        if field not in self.stream and field in SPECIAL:
            return self.time() if field == "time" else self._counted()
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

    @property
    def lasted(self) -> float:
        """How long after the start the last event came, in seconds; 0 where that is not known."""
        ends = span(self._since())
        return max(map(abs, ends)) if ends else 0.0

    def _since(self) -> Array:
        began = self._began
        if not is_number(began) or not np.isfinite(began):
            began = self._times[0] if len(self) else 0.0
        return sane(self._times) - began

    def _counted(self) -> Axis:
        return Axis("event", self.seq_nums.astype(np.float64))

    def time(self) -> Axis:
        """Return the time since the run began; the number of the event where there is no time."""
        since = self._since()
        if not len(since) or not np.isfinite(since).all():
            return self._counted()
        units, length = next(
            (name, length) for name, length, most in _UNITS if self.longest <= most
        )
        return Axis("time since start", since / length, units)
