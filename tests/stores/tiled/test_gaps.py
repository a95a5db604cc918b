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

GAPS = {
    "uids of events": (_with(event(1)), "the writer has no column for them"),
    "flags of events": (
        _with(event(1) | {"filled": {"x": True}}),
        "the writer has no column for them",
    ),
    "NaN in metadata": (_with(T=float("nan")), "JSON has no NaN, and Tiled writes null"),
    "large integers in metadata": (_with(T=2**60), "the writer cuts them to 53 bits"),
    "None among floats": (
        _with(event(1), event(2, x=None)),
        "a table has null for both NaN and None, and NaN is the likelier",
    ),
    "keys that the first events do not have": (
        _with(event(1), event(2, x=1.5, y=2), fields=("x", "y")),
        "the writer takes the columns of a table from its first event",
    ),
    "values of several types in one field": (
        _with(event(1), event(2, x="text")),
        "a column of a table has one type, and the writer stops",
    ),
    "which of two descriptors of one time an event has": (
        _ended(
            *BEGUN,
            ("descriptor", descriptor("other") | {"configuration": {}}),
            ("event", event(1)),
            ("event", event(2, "other")),
        ),
        "the writer has no column for it, so the time tells",
    ),
    "resources and datum documents": (
        _ended(*BEGUN, ("resource", resource()), ("datum", datum(0))),
        "the writer makes stream resources of them, or leaves them out",
    ),
}


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param(
            documents,
            marks=pytest.mark.xfail(reason=reason, strict=True, raises=Exception),
            id=name,
        )
        for name, (documents, reason) in GAPS.items()
    ],
)
def test_what_is_lost(server, client, documents):
    uri = server.new_catalog()
    store = writing_store(client[uri.rpartition("/")[2]], uri)
    try:
        insert_all(store, documents)
        found, wanted = answers(store, documents), expected(documents)
        if not any(kind == "event" for kind, _ in documents):
            found, wanted = found["runs"], wanted["runs"]
        assert same(found, wanted)
    finally:
        store.close()


def test_what_is_kept(server, client):
    """What is lost above is all that differs: without it, documents come out as they are."""
    uri = server.new_catalog()
    store = writing_store(client[uri.rpartition("/")[2]], uri)
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
