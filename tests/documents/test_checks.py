"""What cannot be placed is refused, naming document, key and need; nothing else is."""

import pytest

from databroker.documents.accept import accept
from databroker.documents.kinds import ACCEPTED
from databroker.documents.validate import check
from databroker.errors import InvalidDocument, UnknownDocumentKind

GOOD = {
    "start": {"uid": "u", "time": 1.5},
    "stop": {"uid": "u", "run_start": "r", "time": 1.5},
    "descriptor": {"uid": "u", "run_start": "r", "data_keys": {"x": {}}},
    "event": {
        "uid": "u",
        "descriptor": "d",
        "time": 1.5,
        "seq_num": 1,
        "data": {"x": 1},
        "timestamps": {"x": 1.0},
    },
    "event_page": {
        "descriptor": "d",
        "uid": ["u", "v"],
        "time": [1.5, 2.5],
        "seq_num": [1, 2],
        "data": {"x": [1, 2]},
        "timestamps": {"x": [1.0, 2.0]},
        "filled": {"x": [True, False]},
    },
    "resource": {"uid": "u"},
    "datum": {"datum_id": "r/1", "resource": "r", "datum_kwargs": {}},
    "datum_page": {"resource": "r", "datum_id": ["r/1", "r/2"], "datum_kwargs": {"n": [1, 2]}},
    "stream_resource": {"uid": "u"},
    "stream_datum": {"uid": "u", "stream_resource": "r"},
    "bulk_datum": {"resource": "r", "datum_ids": ["r/1"], "datum_kwarg_list": [{"n": 1}]},
}
GOOD["bulk_events"] = {"primary": [GOOD["event"]]}

MISSING = [
    (kind, key)
    for kind, doc in GOOD.items()
    for key in doc
    if kind != "bulk_events" and (kind, key) != ("event_page", "filled")
]

IMPOSSIBLE = [
    ("start", "uid", 5),
    ("start", "uid", ""),
    ("start", "uid", None),
    ("start", "time", "now"),
    ("start", "time", True),
    ("start", "time", float("nan")),
    ("start", "time", float("inf")),
    ("start", "time", None),
    ("start", "time", 10**301),
    ("stop", "run_start", None),
    ("descriptor", "data_keys", ["x"]),
    ("descriptor", "data_keys", {"x": 5}),
    ("event", "seq_num", "1"),
    ("event", "seq_num", 2**63),
    ("event", "seq_num", True),
    ("event", "data", [1]),
    ("event", "timestamps", None),
    ("event_page", "uid", ["u"]),
    ("event_page", "uid", "uv"),
    ("event_page", "uid", {"x": ["u", "v"]}),
    ("event_page", "uid", ["u", 5]),
    ("event_page", "time", [1.5, float("nan")]),
    ("event_page", "time", [1.5, "now"]),
    ("event_page", "time", 1.5),
    ("event_page", "seq_num", [1, None]),
    ("event_page", "seq_num", [1, 2**63]),
    ("event_page", "seq_num", []),
    ("event_page", "data", {"x": [1]}),
    ("event_page", "data", {"x": 1}),
    ("event_page", "data", {"x": "12"}),
    ("event_page", "data", {"x": {0: 1, 1: 2}}),
    ("event_page", "data", [1, 2]),
    ("event_page", "timestamps", {"x": [1.0, 2.0, 3.0]}),
    ("datum", "datum_kwargs", None),
    ("datum", "datum_id", 1),
    ("datum_page", "datum_id", ["r/1"]),
    ("datum_page", "datum_id", ["r/1", 2]),
    ("datum_page", "datum_kwargs", {"n": [1]}),
    ("stream_datum", "stream_resource", ""),
    ("bulk_datum", "datum_ids", ["r/1", "r/2"]),
    ("bulk_datum", "datum_ids", [1]),
    ("bulk_datum", "datum_kwarg_list", [5]),
    ("bulk_events", "primary", {"uid": "u"}),
    ("bulk_events", "primary", [5]),
    ("bulk_events", "primary", [{"uid": "u"}]),
]


def test_every_kind_is_tried_here():
    assert set(GOOD) == set(ACCEPTED)


@pytest.mark.parametrize("kind", ACCEPTED)
def test_a_document_with_the_needed_keys_is_accepted(kind):
    clean, changes = accept(kind, GOOD[kind])
    assert clean == GOOD[kind]
    assert changes == []


@pytest.mark.parametrize(("kind", "key"), MISSING)
def test_a_missing_key_is_named(kind, key):
    doc = {name: value for name, value in GOOD[kind].items() if name != key}
    with pytest.raises(InvalidDocument) as caught:
        accept(kind, doc)
    assert kind in str(caught.value)
    assert repr(key) in str(caught.value)


@pytest.mark.parametrize(("kind", "key", "value"), IMPOSSIBLE, ids=lambda part: repr(part)[:40])
def test_an_impossible_value_is_refused(kind, key, value):
    with pytest.raises(InvalidDocument, match=kind):
        accept(kind, {**GOOD[kind], key: value})


def test_the_message_names_document_key_value_and_need():
    with pytest.raises(InvalidDocument) as caught:
        check("event", {**GOOD["event"], "seq_num": "first"})
    assert str(caught.value) == (
        "event document 'u' has 'seq_num' = 'first' (str); it must be an integer below 2**63."
    )


def test_an_unknown_kind_names_the_nearest_known_one():
    with pytest.raises(UnknownDocumentKind, match=r"'strat' is not a kind.*Did you mean 'start'"):
        check("strat", {})


@pytest.mark.parametrize("kind", ["", "Event", None, 5])
def test_other_names_are_unknown_kinds(kind):
    with pytest.raises(UnknownDocumentKind, match="known are: start, stop"):
        check(kind, {})


@pytest.mark.parametrize("doc", [None, [], "start", 5])
def test_what_is_not_a_dictionary_is_refused(doc):
    with pytest.raises(InvalidDocument, match="must be a dictionary"):
        accept("start", doc)


def test_keys_that_nobody_relies_on_may_hold_anything():
    for kind, doc in GOOD.items():
        if kind != "bulk_events":
            accept(kind, {**doc, "name": 5, "hints": None, "spec": [1], "indices": "none"})
