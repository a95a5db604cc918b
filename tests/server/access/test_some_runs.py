"""A key to some runs: others answer as what is not there, whatever is asked, over a socket."""

import itertools

import pytest

from databroker import Broker
from databroker.columns import ALL, Selection
from databroker.query import nodes as n
from databroker.stores.http import HTTPStore
from databroker.stores.narrowed import NarrowedStore
from databroker.stores.wire.calls import CALLS
from databroker.testing import assert_identical, read_rows
from databroker.testing.conformance.base import descriptor, event, start, stop
from databroker.testing.reference import answers
from helpers.door import MINE, TOKEN, run_of_proposal

SOURCES = ("lab", "files")
EVERYTHING = {"query": n.Everything()}
UID = n.Path("uid")


@pytest.fixture(scope="module")
def key(door):
    """A key to my runs."""
    return door.key("me", "read", "write", query=MINE)


@pytest.fixture(params=SOURCES)
def store(request, door, key):
    """What I see over the network."""
    store = HTTPStore(f"{door.uri}/{request.param}", token=key)
    yield store
    store.close()


def test_what_is_seen_is_what_is_mine(door, store, key):
    behind = door.stores[str(store).rpartition("/")[2]]
    documents = [pair for uid in ("mine", "others") for pair in run_of_proposal(uid, "1234")]
    assert_identical(answers(store, documents), answers(NarrowedStore(behind, MINE), documents))
    assert [run.uid for run in store.find(n.Everything())] == ["mine"]
    assert len(answers(behind, documents)["runs"]) == 2


HIDDEN = {
    "record": {"uid": "{}"},
    "resolve": {"prefix": "{}", "limit": 5},
    "documents": {"uid": "{}", "kinds": ["descriptor", "resource", "stream_resource"]},
    "activity": {"uid": "{}"},
    "datum": {"datum_id": "{}-res/0"},
    "resource": {"uid": "{}-res"},
    "outlines": {"uids": ["{}"]},
    "read_runs": {"uids": ["{}"]},
}
ASKED = [
    *HIDDEN.items(),
    *(
        (call, {"kind": kind, "owner": f"{{}}-{owner}"})
        for call in ("extents", "run_of")
        for kind, owner in (("event", "desc"), ("datum", "res"), ("stream_datum", "sres"))
    ),
    *(
        (call, more | {"query": query})
        for query in (
            n.Equals(UID, "{}"),
            n.UidPrefix("{}"),
            n.In(UID, ("{}",)),
            n.Or(n.Equals(UID, "{}"), n.Equals(UID, "no such")),
            ~n.Not(n.Equals(UID, "{}")),
            n.Matches(UID, "^{}$"),
        )
        for call, more in (
            ("find", {}),
            ("count", {}),
            ("select", {"paths": [UID, n.Path("proposal")]}),
            ("distinct", {"path": UID}),
        )
    ),
]


def named(value, uid):
    """Return arguments about a run."""
    if isinstance(value, str):
        return value.replace("{}", uid)
    if isinstance(value, list | tuple):
        return type(value)(named(each, uid) for each in value)
    if isinstance(value, dict):
        return {name: named(each, uid) for name, each in value.items()}
    match value:
        case n.Equals(path, text):
            return n.Equals(path, named(text, uid))
        case n.In(path, texts):
            return n.In(path, named(texts, uid))
        case n.UidPrefix(prefix):
            return n.UidPrefix(named(prefix, uid))
        case n.Matches(path, pattern):
            return n.Matches(path, named(pattern, uid))
        case n.Or(nodes):
            return n.Or(*named(nodes, uid))
        case n.Not(node):
            return ~named(node, uid)
    return value


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("call", "arguments"), ASKED, ids=lambda value: str(value)[:40])
def test_another_run_answers_as_one_that_is_not_there(door, key, source, call, arguments):
    of = {uid: named(arguments, uid) for uid in ("others", "nobody", "mine")}
    hidden, absent = (door.ask(key, call, source, **of[uid]) for uid in ("others", "nobody"))
    assert hidden.status_code == 200
    assert hidden.content == absent.content
    assert hidden.headers.keys() == absent.headers.keys()
    # The question is one that finds something where it may.
    assert door.ask(key, call, source, **of["mine"]).content != absent.content
    assert door.ask(TOKEN, call, source, **of["others"]).content != absent.content


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_of_other_runs_is_in_what_is_said_of_all(door, key, source):
    assert door.answer(key, "count", source, **EVERYTHING) == 1
    assert door.answer(key, "distinct", source, path=n.Path("proposal"), **EVERYTHING) == [
        ["1234", 1]
    ]
    keys = door.answer(key, "keys", source, most=1000)
    assert "of 1234" in keys
    assert "of 5678" not in keys
    assert "of 5678" in door.answer(TOKEN, "keys", source, most=1000)
    assert door.answer(key, "size", source) is None
    assert door.answer(TOKEN, "size", source) > 0
    uids, mark = door.answer(key, "uids_since", source, mark=None)
    assert (uids, mark) == (["mine"], None)
    assert door.answer(key, "newest_mark", source) is None
    everywhere = n.Or(n.Everything(), n.Equals(n.Path("proposal"), "5678"))
    assert [run[0] for run in door.answer(key, "find", source, query=everywhere)] == ["mine"]
    assert door.answer(key, "resolve", source, prefix="", limit=9) == ["mine"]


@pytest.mark.parametrize("source", SOURCES)
def test_runs_are_read_together_as_if_others_were_not_there(door, key, source):
    arguments = {"stream": "primary", "selection": ALL}
    (page,) = door.answer(key, "read_many", source, runs=["mine", "others", "nobody"], **arguments)
    runs, alike, apart = page
    assert runs == ["mine", "others", "nobody"]
    assert [*itertools.chain.from_iterable(each[0] for each in alike), *apart] == ["mine"]


@pytest.mark.parametrize("source", SOURCES)
def test_extents_of_somebody_else_are_of_no_use(door, key, source):
    _, extents = "event", door.answer(TOKEN, "extents", source, kind="event", owner="others-desc")
    for call, arguments in (
        ("read", {"extent": extents[0][0]}),
        ("read_extents", {"extents": extents[0]}),
    ):
        body = {
            "kind": "event",
            **arguments,
            "selection": CALLS["read"].takes["selection"].pack(ALL),
        }
        answer = door.send(key, call, source, body)
        assert answer.status_code == 400
        assert "others" not in answer.text


def test_a_cursor_of_somebody_else_is_of_no_use(door, key):
    cursor = door.answer(TOKEN, "find", **EVERYTHING)[0][3]
    answer = door.ask(key, "find", after=cursor, **EVERYTHING)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")


@pytest.mark.parametrize("source", SOURCES)
def test_the_state_tells_of_my_runs_alone(door, key, source):
    before = door.answer(key, "state", source), door.answer(TOKEN, "state", source)
    door.answer(TOKEN, "insert", source, kind="start", doc=start(f"o {source}", proposal="5678"))
    assert door.answer(key, "state", source) == before[0]
    assert door.answer(TOKEN, "state", source) != before[1]
    door.answer(key, "insert", source, kind="start", doc=start(f"m {source}", proposal="1234"))
    seen = door.answer(key, "state", source)
    assert seen != before[0]
    other = door.key(f"else {source}", query=n.Equals(n.Path("proposal"), "9"))
    assert door.answer(other, "state", source) != seen


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("insert", {"kind": "start", "doc": start("x", proposal="5678")}),
        ("insert", {"kind": "stop", "doc": stop("others")}),
        ("insert", {"kind": "descriptor", "doc": descriptor("x", "others")}),
        ("insert", {"kind": "event", "doc": event(9, "others-desc")}),
        ("insert_many", {"documents": [("event", event(9, "others-desc"))]}),
        ("insert_batches", {"kind": "event", "owner": "others-desc", "batches": "of mine"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_nothing_is_written_into_other_runs(door, key, call, arguments):
    lab = door.stores["lab"]
    if "batches" in arguments:
        (extent,) = lab.extents("event", "mine-desc")
        arguments = arguments | {"batches": lab.read("event", extent, ALL)}
    before = lab.state()
    answer = door.ask(key, call, **arguments)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-permitted")
    assert lab.state() == before


def test_a_broker_with_such_a_key_writes_and_reads(door, key):
    config = {"driver": "http", "uri": f"{door.uri}/lab", "token": key, "spill": False}
    with Broker.from_config(config) as db:
        for kind, doc in run_of_proposal("new", "1234"):
            db.insert(kind, doc)
        assert len(db["new"].table()) == 3
        assert "others" not in [run.uid for run in db(since="2000")]
        assert read_rows(db.store, "event", "new-desc", selection=Selection())
