"""Several streams of a run as one dataset, at the times of one of them."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...columns.cells import cells_of
from ...errors import InvalidQuery
from ...extras import require
from .dataset import Builder
from .fields import Fields
from .layout import Array
from .many import share_fields
from .schema import Constant, Gathered, Variable, gather
from .stream import Stream

if TYPE_CHECKING:
    import xarray as xr


RULES = {
    "previous": "the last reading at or before the event",
    "nearest": "the reading nearest to the event in time; of two equally near, the earlier",
    "linear": "on the line between the readings before and after the event; no extrapolation",
}
"""What `how` may be, and what it means."""


@dataclass(frozen=True)
class Rule:
    """How readings of one stream are given for the events of another."""

    how: str  # A key of `RULES`
    tolerance: float | None = None  # how many seconds a reading may be away from the event

    def words(self) -> str:
        """Return the rule as a sentence."""
        if self.tolerance is None:
            return RULES[self.how]
        return f"{RULES[self.how]}; none further away than {self.tolerance:g} s"


def align(
    streams: Mapping[str, Stream],
    on: str = "primary",
    how: str = "nearest",
    names: Iterable[str] | None = None,
    tolerance: float | datetime.timedelta | None = None,
    fields: Fields = None,
    convert_times: bool = True,
) -> xr.Dataset:
    """Return the events of one stream, with the readings of others joined to them."""
    require("xarray", "arrays")
    if how not in RULES:
        raise InvalidQuery(f"how={how!r} is none of {', '.join(map(repr, RULES))}.")
    rule = Rule(how, _seconds(tolerance))
    others = list(streams) if names is None else [names] if isinstance(names, str) else list(names)
    chosen = [streams[name] for name in dict.fromkeys([on, *others])]
    requests = [
        stream.request(share, fill=False) for stream, share in share_fields(chosen, fields, True)
    ]
    base, *joined = [gather(request) for request in requests]
    titles = _titles([stream.name for stream in chosen], [base, *joined])
    builder = Builder(titles.values())
    for variable, values in base.values:
        builder.add(_titled(variable, titles[on, variable.name], on), values)
    for stream, readings in zip(chosen[1:], joined, strict=True):
        join = _Join(base.time, readings, stream)
        for variable, values in readings.values:
            title = titles[stream.name, variable.name]
            picked, used = join.find(variable, values, rule)
            builder.add(_titled(variable, title, stream.name, used.words()), picked)
    attrs = {**requests[0].attrs, "align_on": on, "align_how": how, "align_rule": rule.words()}
    if rule.tolerance is not None:
        attrs["align_tolerance"] = rule.tolerance
    return builder.dataset(base.time, base.seq_num, attrs, convert_times)


class _Join:
    """Finds the readings of a stream for some times; what fields share is found once."""

    def __init__(self, times: Array, readings: Gathered, stream: Stream) -> None:
        self._times = times
        self._readings = readings
        self._descriptors = {doc["uid"]: doc for doc in stream.descriptors}
        self._sorted: dict[bytes, tuple[Array, Array]] = {}
        self._found: dict[tuple[bytes, Rule], Array] = {}

    def find(self, variable: Variable | Constant, values: Array, rule: Rule) -> tuple[Array, Rule]:
        """Return values for the times, and the rule by which they were found."""
        # Events of a descriptor without this field are no readings of it.
        owners = self._readings.layout.owners
        has = np.ones(len(owners), bool)
        if isinstance(variable, Variable):
            keys = [self._descriptors[owner]["data_keys"] for owner in owners]
            has = np.array([variable.name in each for each in keys], bool)
        order, when = self._in_order(has)
        values = values[order]
        if rule.how == "linear":
            if values.ndim == 1 and values.dtype.kind in "iuf":
                return _between(self._times, when, values, rule.tolerance), rule
            rule = replace(rule, how="previous")
        key = (has.tobytes(), rule)
        if key not in self._found:
            self._found[key] = _places(self._times, when, rule)
        return _take(values, self._found[key]), rule

    def _in_order(self, has: Array) -> tuple[Array, Array]:
        """Return places and times of the readings of some descriptors, sorted by time."""
        key = has.tobytes()
        if key not in self._sorted:
            time = self._readings.time
            there = np.isfinite(time)
            if len(has):
                there &= has[self._readings.codes]
            order = np.flatnonzero(there)
            order = order[np.argsort(time[order], kind="stable")]
            self._sorted[key] = order, time[order]
        return self._sorted[key]


def _places(times: Array, when: Array, rule: Rule) -> Array:
    """Return the place of the reading for each time; -1 where there is none."""
    places = _previous(times, when) if rule.how == "previous" else _nearest(times, when)
    places = np.where(np.isfinite(times), places, -1)  # a row without a time is near nothing
    return _near(times, when, places, rule.tolerance)


def _previous(times: Array, when: Array) -> Array:
    """Return the place of the last reading at or before each time; -1 where there is none."""
    return np.searchsorted(when, times, "right") - 1


def _nearest(times: Array, when: Array) -> Array:
    if not len(when):
        return np.full(len(times), -1)
    before = np.clip(_previous(times, when), 0, None)
    after = np.clip(np.searchsorted(when, times, "left"), None, len(when) - 1)
    return np.where(np.abs(when[after] - times) < np.abs(times - when[before]), after, before)


def _near(times: Array, when: Array, places: Array, tolerance: float | None) -> Array:
    """Return places with -1 for readings that are too far away."""
    if tolerance is None or not len(when):
        return places
    return np.where((places >= 0) & (np.abs(when[places] - times) <= tolerance), places, -1)


def _between(times: Array, when: Array, values: Array, tolerance: float | None) -> Array:
    """Return values on the lines between readings; NaN outside of them."""
    if not len(when):
        return np.full(len(times), np.nan)
    # Of several readings at one time, this takes the last.
    out: Array = np.interp(times, when, values.astype(np.float64), np.nan, np.nan)
    after = np.searchsorted(when, times, "left")
    for places in (_previous(times, when), np.where(after < len(when), after, -1)):
        out[_near(times, when, places, tolerance) < 0] = np.nan
    return out


def _take(values: Array, places: Array) -> Array:
    """Return the values at some places; missing ones (-1) are NaN, or None among objects."""
    missing = places < 0
    if not missing.any():
        return values[places]
    dtype = values.dtype if values.dtype.kind in "fcO" else np.dtype(np.float64)
    if values.dtype.kind not in "iufcO":
        dtype = np.dtype(object)
    if dtype.hasobject and values.ndim > 1:
        values = cells_of(values)
    out = np.full((len(places), *values.shape[1:]), None if dtype.hasobject else np.nan, dtype)
    out[~missing] = values[places[~missing]]
    return out


def _titled(
    variable: Variable | Constant, title: str, stream: str, rule: str | None = None
) -> Variable | Constant:
    """Return a variable under the name that it has in the dataset."""
    attrs = {**variable.attrs, "stream": stream}
    if title != variable.name:
        attrs["data_key"] = variable.name
    if rule is not None:
        attrs["align_rule"] = rule
    return replace(variable, name=title, attrs=attrs)


def _titles(streams: Sequence[str], parts: Sequence[Gathered]) -> dict[tuple[str, str], str]:
    """Name variables as their fields; where two clash, others than the first with the stream."""
    fields = [
        (stream, variable.name)
        for stream, part in zip(streams, parts, strict=True)
        for variable, _ in part.values
    ]
    counts = Counter(name for _, name in fields)
    titles: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for stream, name in fields:
        title = name
        while (stream != streams[0] and counts[title] > 1) or title in taken:
            title = f"{stream}_{title}"
        titles[stream, name] = title
        taken.add(title)
    return titles


def _seconds(tolerance: float | datetime.timedelta | None) -> float | None:
    if isinstance(tolerance, datetime.timedelta):
        tolerance = tolerance.total_seconds()
    if tolerance is None:
        return None
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not tolerance >= 0:
        raise InvalidQuery(f"tolerance={tolerance!r} is not a number of seconds.")
    return float(tolerance)
