"""A huge metadata document costs only those who ask for what is in it."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker import Broker
from databroker.queries import Key
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore, bodies
from databroker.stores.sql.search.name_filter import might_contain, name_filter

MANY = 20_000
SHAPES = {
    "flat": {f"key{n}": n for n in range(MANY)},
    "nested": {"deep": {f"a{n}": {f"b{m}": m for m in range(200)} for n in range(100)}},
    "list": {"values": list(range(MANY))},
    "dictionaries in a list": {"values": [{f"a{n}.": n} for n in range(MANY)]},
    "words": {f"key{n}": f"word{n}" for n in range(MANY)},
    "many in keys": {f"device{n}": {f"a{m}": m for m in range(200)} for n in range(200)},
    "rows": {"rows": [{"name": f"n{n}"} for n in range(MANY)]},
    "late": {**{f"key{n}": n for n in range(MANY)}, "sample": {"name": "Ni"}, "a.b": 5},
}

UNRELATED = {
    "equal": lambda db: db(plan_name="scan").count(),
    "first": lambda db: db(plan_name="count").first().uid,
    "scan_id": lambda db: db[3].uid,
    "several": lambda db: db({"plan_name": "scan", "purpose": "beam time"}).count(),
    "nested": lambda db: db(Key("detector.name") == "pilatus").count(),
    "all have it": lambda db: db(operator="adam").count(),
    "all have it inside": lambda db: db(Key("sample.composition") == "Fe").count(),
    "text and no text": lambda db: db("beam time -n7").count(),
    "not": lambda db: db(~(Key("plan_name") == "scan") & Key("plan_name").exists()).count(),
    "missing": lambda db: db(Key("nobody.has.this") > 5).count(),
    "text": lambda db: db("beam time").count(),
    "no text": lambda db: db("nowhere").count(),
    "distinct": lambda db: dict(db().distinct("plan_name")),
    "columns": lambda db: db(plan_name="scan").to_frame(["scan_id", "detector.name"]).shape,
}
RELATED = {
    "far inside": lambda db: [run.uid for run in db({"key19999": 19_999})],
    "far away": lambda db: [run.uid for run in db({"deep.a99.b199": 199})],
    "in a list": lambda db: [run.uid for run in db(values=MANY - 1)],
    "exists": lambda db: [run.uid for run in db(Key("key12345").exists())],
    "missing": lambda db: db(~Key("key19998").exists()).count(),
    "late": lambda db: [run.uid for run in db(Key("sample.name") == "Ni")],
    "dots": lambda db: [run.uid for run in db(Key("a.b") == 5)],
    "word": lambda db: [run.uid for run in db("word19999")],
    "no word": lambda db: db("beam -word19999").count(),
    "distinct": lambda db: dict(db().distinct("sample.name")),
}


def insert_runs(db, huge, before):
    for n in range(12):
        start = {"uid": f"run {n:02}", "time": float(n), "scan_id": n, "purpose": "beam time"}
        start |= {"plan_name": ("scan", "count")[n % 2], "detector": {"name": "pilatus"}}
        db.insert("start", start | {"operator": "adam", "sample": {"composition": "Fe"}})
    huge = {"operator": "eve"} | huge if before else huge | {"operator": "eve"}
    sample = huge.get("sample", {}) | {"composition": "Ni"}
    db.insert("start", huge | {"uid": "huge", "time": 5.5, "sample": sample})


@pytest.fixture(scope="module", params=[(shape, end) for shape in SHAPES for end in (True, False)])
def catalogs(request, tmp_path_factory):
    """A catalog with a huge document, before or behind ordinary keys, and the same in memory."""
    shape, before = request.param
    path = tmp_path_factory.mktemp("huge") / "runs.db"
    with Broker(SQLiteStore(path)) as db, Broker(MemoryStore()) as memory:
        for each in (db, memory):
            insert_runs(each, SHAPES[shape], before)
        yield db, memory


@pytest.fixture(autouse=True)
def _silent():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


@pytest.mark.parametrize("ask", UNRELATED.values(), ids=UNRELATED)
def test_who_asks_for_something_else_does_not_read_it(catalogs, monkeypatch, ask):
    db, memory = catalogs
    sizes = []

    def counted(data):
        sizes.append(len(data))
        return decode(data)

    decode = bodies.decode
    monkeypatch.setattr(bodies, "decode", counted)
    assert ask(db) == ask(memory)
    assert max(sizes, default=0) < 1_000


@pytest.mark.parametrize("ask", RELATED.values(), ids=RELATED)
def test_what_is_in_it_is_found(catalogs, ask):
    db, memory = catalogs
    assert ask(db) == ask(memory)


@given(st.sets(st.text(), min_size=1, max_size=50))
def test_a_filter_has_what_it_was_made_of(names):
    held = name_filter(names)
    assert all(might_contain(held, name) for name in names)


def test_a_filter_has_little_else():
    held = name_filter([f"key{n}" for n in range(100_000)])
    wrong = sum(might_contain(held, f"other{n}") for n in range(10_000))
    assert wrong < 200
