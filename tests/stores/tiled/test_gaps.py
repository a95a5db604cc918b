"""What Tiled's writer does not keep, each with its reason: an error once it does."""

import pytest

from databroker.documents.encode import same
from databroker.testing import answers, expected, read_rows
from databroker.testing.conformance.base import (
    datum,
    descriptor,
    event,
    insert_all,
    resource,
    start,
    stop,
)
from helpers.tiled_server import writing_store


def _ended(*documents):
    return [*documents, ("stop", stop(exit_status="success"))]


def _with(*events, fields=("x",), **metadata):
    described = descriptor("desc", "run", *fields) | {"configuration": {}}
    begun = [("start", start("run", **metadata)), ("descriptor", described)]
    return _ended(*begun, *(("event", each) for each in events))


BEGUN = _with()[:2]

DOCUMENTS = {
    "uids of events": _with(event(1)),
    "flags of events": _with(event(1) | {"filled": {"x": True}}),
    "NaN in metadata": _with(T=float("nan")),
    "large integers in metadata": _with(T=2**60),
    "None among floats": _with(event(1), event(2, x=None)),
    "fields that the first event lacks": _with(event(1), event(2, x=1.5, y=2), fields=("x", "y")),
    "values of several types in one field": _with(event(1), event(2, x="text")),
    "which of two descriptors of one time an event has": _ended(
        *BEGUN,
        ("descriptor", descriptor("other") | {"configuration": {}}),
        ("event", event(1)),
        ("event", event(2, "other")),
    ),
    "resources and datum documents": _ended(*BEGUN, ("resource", resource()), ("datum", datum(0))),
}
REASONS = {
    "uids of events": "the tables of the writer have no column for them",
    "flags of events": "the tables of the writer have no column for them (`filled`)",
    "NaN in metadata": "JSON has no NaN, and Tiled writes null",
    "large integers in metadata": "the writer cuts them to 53 bits",
    "None among floats": "a table has null for both None and NaN, and NaN is the likelier",
    "fields that the first event lacks": "the writer takes the columns of a table from that event",
    "values of several types in one field": "a column has one type, and the writer stops",
    "which of two descriptors of one time an event has": "no column tells it, so the time does",
    "resources and datum documents": "the writer makes stream resources of them, or drops them",
}

PARTS = {"NaN in metadata": "runs", "large integers in metadata": "runs"}
KEPT = {"uids of events": ("uid",), "flags of events": ("filled",)}
MISSING = ("uid", "filled")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(reason=reason, strict=True))
        for name, reason in REASONS.items()
    ],
)
def test_what_is_lost(server, client, name):
    """Nothing else is looked at than what the gap is about."""
    documents = DOCUMENTS[name]
    store = writing_store(server, client)
    try:
        insert_all(store, documents)
        found, wanted = answers(store, documents), expected(documents)
        part = PARTS.get(name, "resources" if name.startswith("resources") else "rows")
        dropped = [key for key in MISSING if key not in KEPT.get(name, ())]
        assert same(_without(dropped, found[part]), _without(dropped, wanted[part]))
    finally:
        store.close()


def _without(dropped, answer):
    """Return an answer in which rows lack some of their keys, and come in one order."""
    if not isinstance(answer, dict):
        return answer
    return {
        owner: [{k: row[k] for k in sorted(row) if k not in dropped} for row in rows]
        if isinstance(rows, list)
        else rows
        for owner, rows in answer.items()
    }


def test_what_is_kept(server, client):
    """Guard the tests above: without anything of that, documents come out as they are."""
    store = writing_store(server, client)
    documents = _with(*(event(number) for number in (3, 1, 2)), sample={"name": "Ni"})
    insert_all(store, documents)
    (run,) = [pair for pair in documents if pair[0] == "start"]
    assert store.record("run").start == run[1]
    assert store.record("run").stop == documents[-1][1]
    rows = read_rows(store, "event", "desc")
    assert [_kept(row) for row in rows] == [
        _kept(doc) for kind, doc in documents if kind == "event"
    ]
    store.close()


def _kept(row):
    return {key: row[key] for key in ("descriptor", "seq_num", "time", "data", "timestamps")}
