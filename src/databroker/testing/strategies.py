"""Hypothesis strategies for whole runs of event-model documents.

Documents are small, and of every shape that a store must keep: see `runs`.
Values alone come from `databroker.testing.values`, the parts of a run from
`databroker.testing.streams`.

Examples
--------
>>> from hypothesis import find
>>> [kind for kind, doc in find(runs(), lambda run: True)]
['start']
"""

from __future__ import annotations

import functools
from typing import Any

from hypothesis import strategies as st

from .streams import (
    Columns,
    Documents,
    descriptors,
    event_pages,
    events,
    resources,
    shuffled,
    stream_resources,
    times,
    uids,
)
from .values import keys, one_of_these, records, up_to, values

STREAMS = ("primary", "baseline", "mon itor/ü", "")


@functools.cache
def metadata() -> st.SearchStrategy[dict[str, Any]]:
    """Make what people and plans write into a RunStart, everyday and odd."""
    everyday = st.fixed_dictionaries(
        {},
        optional={
            "scan_id": st.integers(0, 5),
            "plan_name": st.sampled_from(("scan", "count", "grid_scan")),
            "purpose": st.sampled_from(("good sample", "test", "Zürich, 2nd")),
            "motors": st.lists(st.sampled_from(("eta", "phi", "motor")), max_size=2),
            "detectors": st.lists(st.sampled_from(("det", "img")), max_size=2),
            "sample": st.dictionaries(keys(), values(), max_size=2),
            "T": st.integers(-2, 2) | st.floats(-2, 2) | st.booleans() | st.none(),
        },
    )
    return st.tuples(everyday, records()).map(lambda pair: pair[0] | pair[1])


@st.composite
def starts(draw: st.DrawFn, at: st.SearchStrategy[float] | None = None) -> dict[str, Any]:
    """Make RunStart documents; their times come from ``at``, by default from `times`."""
    doc = draw(metadata()) | {"uid": draw(uids()), "time": draw(at or times())}
    return shuffled(draw, doc)


@st.composite
def stops(draw: st.DrawFn, run: str) -> dict[str, Any]:
    """Make RunStop documents of a run."""
    doc = draw(records(1)) | {"uid": draw(uids()), "run_start": run, "time": draw(times())}
    status = draw(one_of_these(None, "success", "abort", "fail"))
    return shuffled(draw, doc | ({} if status is None else {"exit_status": status}))


def _stream(draw: st.DrawFn, run: str, name: str) -> Documents:
    columns = Columns(draw)
    found: Documents = []
    for number in range(1 + draw(up_to(1))):
        fields = columns.fields[: max(1, len(columns.fields) - number)]
        descriptor = draw(descriptors(run, name, fields))
        found.append(("descriptor", descriptor))
        # A fast detector sends pages, and sometimes both are mixed.
        for make in draw(one_of_these((events,), (event_pages,), (events, event_pages))):
            found += make(draw, descriptor["uid"], columns, 4 * number)
    if draw(up_to(3)) == 0:
        found += stream_resources(draw, run, found[0][1]["uid"])
    return found


def _interleaved(draw: st.DrawFn, parts: list[Documents]) -> Documents:
    # Within a part the order is kept: a descriptor comes before its events.
    queues = [list(part) for part in parts]
    found: Documents = []
    while queues := [queue for queue in queues if queue]:
        queue = queues[draw(up_to(len(queues) - 1))] if len(queues) > 1 else queues[0]
        found.append(queue.pop(0))
    return found


@st.composite
def runs(draw: st.DrawFn, at: st.SearchStrategy[float] | None = None) -> Documents:
    """Make whole runs, as lists of (kind, document) in an order in which they may arrive.

    They have several streams with several descriptors each, columns that
    change their type half-way, missing keys in data, timestamps and filled,
    extra keys, keys in any order, seq_nums that repeat or go back, equal
    times, uids in many forms, events alone and in pages, external documents of
    both generations, and a stop or none. All values are kept exactly, so what
    comes out of an exact store is identical to what went in.

    Parameters
    ----------
    at
        Where the start times come from; by default from `times`.
    """
    start = draw(starts(at))
    uid = start["uid"]
    names = draw(_stream_names())
    parts = [_stream(draw, uid, name) for name in names]
    parts += [resources(draw, uid) for _ in range(draw(up_to(1)))]
    found = [("start", start), *_interleaved(draw, parts)]
    if draw(st.booleans()):
        late = draw(up_to(3)) == 0  # flyers may send documents after the stop
        found.insert(max(1, len(found) - late), ("stop", draw(stops(uid))))
    return found


@functools.cache
def _stream_names() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(STREAMS), unique=True, max_size=2)
