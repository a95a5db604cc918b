"""Whatever is asked of a catalog is answered as the evaluator answers it."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings

from databroker.query import nodes as n
from databroker.query.evaluate import RunView, matches
from databroker.stores.memory import MemoryStore
from databroker.stores.tiled import runs
from databroker.stores.tiled.filters import filters_of
from databroker.testing.questions import questions
from helpers.tiled_server import KEY, writing_store

STARTS = [
    {"scan_id": 1, "plan_name": "scan", "motors": ["eta", "phi"], "purpose": "Good sample, Ni"},
    {"scan_id": 2, "plan_name": "count", "motors": [], "purpose": "good for nothing"},
    {"scan_id": 2, "plan_name": ["scan", "count"], "sample": {"name": "Ni", "T": 4.2}},
    {"plan_name": "Scan", "sample": [{"name": "Cu"}, {"name": "Ni"}], "purpose": "Zürich sample"},
    {"scan_id": 4, "plan_name": "scan", "sample": "Ni", "list": [1, [2, 3], {"name": "Ni"}]},
    {"scan_id": 5, "plan_name": "my scan", "flag": True, "nothing": None, "empty": "", "T": -0.5},
    {"scan_id": 6, "plan_name": "scan/grid", "flag": 0, "a.b": 1, "long": list(range(300))},
]


@pytest.fixture(scope="module")
def asked(server, client):
    """A catalog, and a memory store with the same runs, of which some have not ended."""
    store, memory = writing_store(server, client), MemoryStore()
    for number, metadata in enumerate(STARTS):
        # Of two times, so that there are ties; and one that no server orders.
        time = 1.5e9 + number // 2 if number != 3 else 5e8
        uid = f"{'ab'[number % 2]}{number}-run"
        documents = [("start", {"uid": uid, "time": time, **metadata})]
        if number % 3 == 0:
            keys = {"det": {"source": "", "dtype": "number", "shape": []}}
            documents += [("descriptor", _descriptor(uid, keys))]
        if number % 2:
            documents += [("stop", _stop(uid, number))]
        for kind, doc in documents:
            store.insert(kind, doc)
            memory.insert(kind, doc)
    yield store, memory
    store.close()


def _descriptor(uid, keys):
    return {
        "uid": f"d-{uid}",
        "run_start": uid,
        "time": 1.5e9,
        "name": "primary",
        "data_keys": keys,
    }


def _stop(uid, number):
    status = "fail" if number == 1 else "success"
    return {"uid": f"stop-{number}", "run_start": uid, "time": 1.6e9, "exit_status": status}


def test_any_question(asked):
    store, memory = asked
    starts = [run.start for run in memory.find(n.Everything())]
    stops = [run.stop for run in memory.find(n.Everything()) if run.stop]
    seen = Counter()

    @settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @given(query=questions(starts, stops))
    def ask(query):
        wanted = [run.uid for run in memory.find(query)]
        assert [run.uid for run in store.find(query)] == wanted, query
        assert store.count(query) == len(wanted), query
        seen[0 < len(wanted) < len(STARTS)] += 1

    ask()
    assert seen[True] > 5


def _pushed():
    path, stop = n.Path, n.Path("exit_status", "stop")
    yield from (n.Equals(path("scan_id"), value) for value in (1, 2.0, 2.5, 99))
    yield from (n.Equals(path("plan_name"), value) for value in ("scan", "SCAN", "count"))
    yield from (n.Equals(path("sample.name"), "Ni"), n.Equals(path("sample"), "Ni"))
    yield from (n.Equals(stop, "fail"), n.In(stop, ("fail", "success")))
    yield from (n.In(path("scan_id"), (1, 4)), n.In(path("uid"), ("a0-run", "none")))
    yield from (n.Compare(path("scan_id"), op, 2) for op in ("gt", "gte", "lt", "lte"))
    yield from (n.Exists(path(key)) for key in ("nothing", "flag", "missing", "sample"))
    yield from (n.UidPrefix(text) for text in ("a", "b1", "a0-run", "B1", "zz"))
    bounds = (None, 5e8, 1.5e9, 1.5e9 + 1.5, 1e10)
    yield from (n.TimeBounds(*pair) for pair in combinations(bounds, 2))
    yield from (n.TimeBounds(), n.TimeBounds(1.5e9, None), n.TimeBounds(1.5e9, 1.5e9))
    yield n.And(n.Equals(path("plan_name"), "scan"), n.Compare(path("scan_id"), "gt", 1))
    yield n.And(n.TimeBounds(1.5e9, None), n.Equals(path("scan_id"), 2), n.UidPrefix("b"))


@pytest.mark.parametrize("query", list(_pushed()), ids=repr)
def test_what_is_pushed_leaves_no_answer_out(asked, query):
    store, memory = asked
    wanted = [run.uid for run in memory.find(query)]
    assert filters_of(query).params or query in (n.TimeBounds(), n.Equals(n.Path("scan_id"), 2.5))
    assert [run.uid for run in store.find(query)] == wanted
    assert store.count(query) == len(wanted)


def test_pages_in_ties(server, monkeypatch):
    """Pages begin at a time, and many runs may have the same."""
    from databroker.stores.tiled import TiledStore

    monkeypatch.setattr(runs, "_PAGE", 4)
    uri = server.new_catalog()
    specs = [{"name": "BlueskyRun", "version": "3.0"}]
    times = [1.5e9] * 9 + [1.5e9 + 1] + [5e8, 7e8, 6e8] + [2e10] + [1.5e9] * 3
    for number, time in enumerate(times):
        start = {"uid": f"{number}", "time": time}
        server.put([uri.rpartition("/")[2]], f"{number}", {"start": start}, specs)
    server.put([uri.rpartition("/")[2]], "no run", {"other": 1}, [])
    store = TiledStore(uri, api_key=KEY)
    found = list(store.find(n.Everything()))
    ties = [number for number, time in enumerate(times) if time == 1.5e9][::-1]
    assert [int(run.uid) for run in found] == [9, *ties, 11, 12, 10, 13]
    for number, run in enumerate(found):
        rest = store.find(n.Everything(), after=run.cursor)
        assert [each.uid for each in rest] == [each.uid for each in found[number + 1 :]]
    assert store.count(n.Everything()) == len(times)
    store.close()


def test_a_question_that_a_server_cannot_narrow_is_asked_of_each_run(asked):
    store, _ = asked
    query = n.Matches(n.Path("plan_name"), "^my")
    assert filters_of(query).params == ()
    (found,) = store.find(query)
    assert matches(query, RunView(found.start, found.stop))
