"""Events turned about: series made into events, events joined, times taken from elsewhere.

Events may name their descriptor by its uid, as stored ones do, or hold it whole, as the
events of the first databrokers did. Where they hold it, so do the new events, with the
data keys that fit.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import count, zip_longest
from typing import Any

from ..errors import EventsDoNotFit

Event = Mapping[str, Any]


def pivot_timeseries(
    events: Iterable[Event], pivot_keys: Iterable[str], static_keys: Iterable[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield one event for each point of the series that events hold.

    Its data has the place of the point in its series, too, as ``_ind``.

    Parameters
    ----------
    events
        Events some of whose fields hold one value for each point.
    pivot_keys
        Those fields.
    static_keys
        Fields to be repeated with each point.

    Raises
    ------
    EventsDoNotFit
        A field is in both sets, or holds no series, or series have different lengths
        (a RuntimeError, as in databroker 1.x).

    Examples
    --------
    >>> series = {"uid": "e", "descriptor": "d", "seq_num": 1, "time": 0.0,
    ...           "data": {"x": [5, 6], "T": 4}, "timestamps": {"x": 0.0, "T": 0.0}}
    >>> [event["data"] for event in pivot_timeseries([series], ["x"], ["T"])]
    [{'x': 5, 'T': 4, '_ind': 0}, {'x': 6, 'T': 4, '_ind': 1}]
    """
    pivots, statics = list(pivot_keys), list(static_keys or ())
    if both := [key for key in pivots if key in statics]:
        raise EventsDoNotFit(f"These fields are to be turned about and repeated: {both}.")
    first: Any = None
    numbers = count(1)
    for event in events:
        first = first or _pivoted(event["descriptor"], pivots, statics)
        descriptor = _of_source(first, pivots, event["uid"])
        series = [event["data"][key] for key in pivots]
        if len({_length(key, each) for key, each in zip(pivots, series, strict=True)}) > 1:
            raise EventsDoNotFit(f"The series of these fields have different lengths: {pivots}.")
        kept = {key: event["data"][key] for key in statics}
        timestamps = {key: event["timestamps"][key] for key in (*pivots, *statics)}
        for place, values in enumerate(zip(*series, strict=True)):
            data = {**dict(zip(pivots, values, strict=True)), **kept, "_ind": place}
            stamps = {**timestamps, "_ind": event["time"]}
            yield _event(next(numbers), event["time"], descriptor, data, stamps)


def zip_events(*evs: Iterable[Event], lazy: bool = True) -> Iterator[dict[str, Any]]:
    """Yield events that have the fields of one event of each flow, side by side.

    Times and descriptors are those of the first flow.

    Parameters
    ----------
    *evs
        Flows of events, of one length and of one run.
    lazy
        Whether to take one event of each flow at a time, instead of loading all first.

    Raises
    ------
    EventsDoNotFit
        Two flows have a field of the same name, or differ in length, or in their run; or
        a flow changes its descriptor (a RuntimeError, as in databroker 1.x).

    Examples
    --------
    >>> def flow(key):
    ...     yield {"uid": key, "descriptor": "d", "seq_num": 1, "time": 0.0,
    ...            "data": {key: 1}, "timestamps": {key: 0.0}}
    >>> [event["data"] for event in zip_events(flow("a"), flow("b"))]
    [{'a': 1, 'b': 1}]
    """
    flows = evs if lazy else tuple(map(list, evs))
    uids: list[Any] | None = None
    joined: Any = None
    for seq_num, events in enumerate(zip_longest(*flows), 1):
        if any(event is None for event in events):
            raise EventsDoNotFit("The flows of events do not have the same length.")
        descriptors = [event["descriptor"] for event in events]
        now = [_uid(descriptor) for descriptor in descriptors]
        if uids is None:
            uids, joined = now, _joined(descriptors)
        if now != uids:
            raise EventsDoNotFit("A flow of events changes its descriptor on the way.")
        data = _together(event["data"] for event in events)
        timestamps = _together(event["timestamps"] for event in events)
        yield _event(seq_num, events[0]["time"], joined, data, timestamps)


def reset_time(
    evs: Iterable[Event], field: str, source: str = "timestamps"
) -> Iterator[dict[str, Any]]:
    """Yield events whose time is the timestamp (or the value) of one of their fields.

    Parameters
    ----------
    evs
        Events.
    field
        Which field.
    source
        'timestamps' or 'data'.

    Examples
    --------
    >>> events = [{"time": 0.0, "data": {"a": 5}, "timestamps": {"a": 3.0}}]
    >>> next(reset_time(events, "a"))["time"]
    3.0
    """
    for event in evs:
        yield {**event, "time": event[source][field]}


def _event(
    number: int, when: float, descriptor: Any, data: dict[str, Any], timestamps: dict[str, Any]
) -> dict[str, Any]:
    return {
        "uid": str(uuid.uuid4()),
        "descriptor": descriptor,
        "seq_num": number,
        "seq_no": number - 1,  # as the first databrokers counted
        "time": when,
        "data": data,
        "timestamps": timestamps,
        "filled": {},
    }


def _pivoted(descriptor: Any, pivots: list[str], statics: list[str]) -> Any:
    """Return the descriptor of the events that series become."""
    if not isinstance(descriptor, Mapping):
        return descriptor
    keys = descriptor["data_keys"]
    if flat := [key for key in pivots if keys[key]["dtype"] != "array"]:
        raise EventsDoNotFit(f"These fields hold no series: {flat}.")
    place = {"shape": (), "dtype": "number", "source": "pivot"}
    points = {key: _point(keys[key]) for key in pivots}
    return _made(descriptor, {"_ind": place, **{key: keys[key] for key in statics}, **points})


def _point(series: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data key of one point of a series."""
    shape = series["shape"][1:]
    return {"shape": shape, "dtype": "array" if shape else "number", "source": ""}


def _of_source(descriptor: Any, pivots: list[str], source: str) -> Any:
    """Return a descriptor whose new fields say from which event they are."""
    if not isinstance(descriptor, Mapping):
        return descriptor
    keys = descriptor["data_keys"]
    from_here = {key: {**keys[key], "source": source} for key in pivots}
    return {**descriptor, "data_keys": {**keys, **from_here}}


def _joined(descriptors: list[Any]) -> Any:
    """Return the descriptor of events that are put side by side."""
    if not all(isinstance(each, Mapping) for each in descriptors):
        return descriptors[0]
    if len({each["run_start"] for each in descriptors}) > 1:
        raise EventsDoNotFit("The flows of events belong to different runs.")
    return _made(descriptors[0], _together(each["data_keys"] for each in descriptors))


def _made(like: Mapping[str, Any], data_keys: dict[str, Any]) -> dict[str, Any]:
    return {
        "uid": str(uuid.uuid4()),
        "run_start": like["run_start"],
        "time": time.time(),
        "data_keys": data_keys,
    }


def _together(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for part in parts:
        if twice := whole.keys() & part.keys():
            raise EventsDoNotFit(f"Several flows have these fields: {sorted(twice)}.")
        whole.update(part)
    return whole


def _length(key: str, series: Any) -> int:
    try:
        return len(series)
    except TypeError:
        raise EventsDoNotFit(f"The field {key!r} holds no series.") from None


def _uid(descriptor: Any) -> Any:
    return descriptor["uid"] if isinstance(descriptor, Mapping) else descriptor


def interlace_gens(*gens: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the documents of several flows in the order of their times.

    Parameters
    ----------
    *gens
        Flows of documents that have a ``time``, each in order.

    Examples
    --------
    >>> list(interlace_gens([{"time": 1}, {"time": 4}], [{"time": 2}]))
    [{'time': 1}, {'time': 2}, {'time': 4}]
    """
    return merge(*gens, key=lambda document: document["time"])
