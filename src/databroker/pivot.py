"""Events turned about: series made into events, events joined, times taken from elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["pivot_timeseries", "reset_time", "zip_events"]

Event = Mapping[str, Any]


def pivot_timeseries(
    events: Iterable[Event], pivot_keys: Iterable[str], static_keys: Iterable[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield one event for each point of the series that events hold.

    Parameters
    ----------
    events
        Events some of whose fields hold one value for each point.
    pivot_keys
        Those fields.
    static_keys
        Fields to be repeated with each point.

    Examples
    --------
    >>> series = {"uid": "e", "descriptor": "d", "seq_num": 1, "time": 0.0,
    ...           "data": {"x": [5, 6], "T": 4}, "timestamps": {"x": 0.0, "T": 0.0}}
    >>> [event["data"] for event in pivot_timeseries([series], ["x"], ["T"])]
    [{'x': 5, 'T': 4}, {'x': 6, 'T': 4}]
    """
    pivots, statics = list(pivot_keys), list(static_keys or ())
    seq_num = 0
    for event in events:
        kept = {key: event["data"][key] for key in statics}
        for values in zip(*(event["data"][key] for key in pivots), strict=True):
            seq_num += 1
            data = {**dict(zip(pivots, values, strict=True)), **kept}
            yield _event(event, seq_num, data, {key: event["timestamps"][key] for key in data})


def zip_events(*evs: Iterable[Event], lazy: bool = True) -> Iterator[dict[str, Any]]:
    """Yield events that have the fields of one event of each flow, side by side.

    Times and descriptors are those of the first flow. It ends with the shortest.

    Parameters
    ----------
    *evs
        Flows of events.
    lazy
        Whether to take one event of each flow at a time, instead of loading all first.

    Raises
    ------
    ValueError
        Two flows have a field of the same name.

    Examples
    --------
    >>> def flow(key):
    ...     yield {"uid": key, "descriptor": "d", "seq_num": 1, "time": 0.0,
    ...            "data": {key: 1}, "timestamps": {key: 0.0}}
    >>> [event["data"] for event in zip_events(flow("a"), flow("b"))]
    [{'a': 1, 'b': 1}]
    """
    flows = evs if lazy else tuple(map(list, evs))
    for seq_num, events in enumerate(zip(*flows, strict=False), 1):
        data: dict[str, Any] = {}
        timestamps: dict[str, Any] = {}
        for event in events:
            twice = data.keys() & event["data"].keys()
            if twice:
                raise ValueError(f"Several flows have these fields: {sorted(twice)}.")
            data.update(event["data"])
            timestamps.update(event["timestamps"])
        yield _event(events[0], seq_num, data, timestamps)


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
    like: Event, seq_num: int, data: dict[str, Any], timestamps: dict[str, Any]
) -> dict[str, Any]:
    return {
        "uid": str(uuid.uuid4()),
        "descriptor": like["descriptor"],
        "seq_num": seq_num,
        "time": like["time"],
        "data": data,
        "timestamps": timestamps,
        "filled": {},
    }
