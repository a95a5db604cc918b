"""A client of Tiled finds the runs that the broker finds, in the order it asks for."""

import pytest
from bluesky_tiled_plugins import queries as plugin
from tiled.structures.core import StructureFamily

from databroker import queries as ours
from databroker.queries import Key
from tiled import queries as tiled

QUESTIONS = {
    "eq": (tiled.Eq("start.plan_name", "scan"), Key("plan_name") == "scan"),
    "eq without its document": (tiled.Eq("scan_id", 7), Key("scan_id") == 7),
    "eq of the stop": (tiled.Eq("stop.exit_status", "fail"), Key("stop.exit_status") == "fail"),
    "noteq": (tiled.NotEq("start.sample.name", "Ni_1"), Key("sample.name") != "Ni_1"),
    "comparison": (tiled.Comparison("ge", "start.scan_id", 90), Key("scan_id") >= 90),
    "comparison of texts": (tiled.Key("start.T") < "d", Key("T") < "d"),
    "in": (tiled.In("start.scan_id", [3, 5, 99]), Key("scan_id").isin([3, 5, 99])),
    "notin": (tiled.NotIn("start.plan_name", ["scan"]), Key("plan_name").notin(["scan"])),
    "contains": (tiled.Contains("start.T", 4), ours.Contains("T", 4)),
    "like": (tiled.Like("start.sample.name", "%_2"), ours.Like("sample.name", "%_2")),
    "regex": (tiled.Regex("start.plan_name", "^CO", False), ours.Regex("plan_name", "^CO", False)),
    "fulltext": (tiled.FullText("good crystal"), ours.FullText("good crystal")),
    "keypresent": (tiled.KeyPresent("stop.exit_status"), Key("stop.exit_status").exists()),
    "not keypresent": (tiled.KeyPresent("start.T", False), ~Key("T").exists()),
    "keys_filter": (tiled.KeysFilter(["007-many"]), Key("uid") == "007-many"),
    "specs": (tiled.SpecsQuery(["BlueskyRun"]), ours.Everything()),
    "other specs": (tiled.SpecsQuery(["BlueskyRun"], ["DatabrokerRun"]), ~ours.Everything()),
    "family": (tiled.StructureFamilyQuery(StructureFamily.container), ours.Everything()),
    "other family": (tiled.StructureFamilyQuery(StructureFamily.array), ~ours.Everything()),
    "ScanID": (plugin.ScanID(5), ours.ScanID(5)),
    "ScanIDRange": (plugin.ScanIDRange(5, 9), ours.ScanIDRange(5, 9)),
    "PartialUID": (plugin.PartialUID("007-m"), ours.PartialUID("007-m")),
    "TimeRange": (
        plugin.TimeRange(since=50.0, until=60.0),
        (Key("time") >= 50) & (Key("time") < 60),
    ),
}


def oldest_first(db, question=None):
    found = db() if question is None else db(question)
    return [run.uid for run in found][::-1]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_search_finds_what_the_broker_finds(runs, db, name):
    query, question = QUESTIONS[name]
    found = runs.search(query)
    assert list(found) == oldest_first(db, question)
    assert len(found.search(tiled.NotEq("start.plan_name", "no such"))) == len(list(found))


def test_what_older_clients_ask_is_answered(runs, db):
    """Clients that know no runs leave it to the server what a scan_id is."""
    from tiled.client.container import Container

    bare = Container(runs.context, item=runs.item, structure_clients=runs.structure_clients)
    for name in ("ScanID", "ScanIDRange", "PartialUID", "TimeRange"):
        query, question = QUESTIONS[name]
        assert list(bare.search(query)) == oldest_first(db, question), name
    assert list(bare.search(tiled.KeyLookup("007-many"))) == ["007-many"]


def test_all_runs_come_in_pages_from_either_end(runs, db):
    uids = oldest_first(db)
    assert len(runs) == len(uids) > 150
    assert list(runs) == uids
    assert list(runs.keys()[40:145]) == uids[40:145]
    assert list(runs.keys()[-1:-4:-1]) == uids[:-4:-1]
    assert [run.start["uid"] for run in runs.values().tail(3)] == uids[-3:]


def test_runs_are_sorted_by_any_key(runs, db):
    by_number = [run.uid for run in db().sort("scan_id")]
    assert list(runs.sort(("start.scan_id", 1))) == by_number
    by_name = sorted(by_number, key=lambda uid: db[uid].start.get("sample", {}).get("name", "~"))
    assert list(runs.sort(("start.sample.name", 1), ("scan_id", 1))) == by_name
    newest = [run.uid for run in db()]
    assert list(runs.sort(("start.time", -1))) == newest


def test_values_and_their_counts(runs, db):
    found = runs.distinct(
        "start.plan_name", "stop.exit_status", structure_families=True, counts=True
    )
    for key, counts in ((k, db().distinct(k)) for k in ("plan_name", "stop.exit_status")):
        told = found["metadata"][key if "." in key else f"start.{key}"]
        assert {each["value"]: each["count"] for each in told} == dict(counts)
    assert found["structure_families"] == [{"value": "container", "count": len(runs)}]


def test_one_run_is_found_by_its_uid_a_part_of_it_or_its_number(runs, db):
    newest = db[-1]
    for key in (newest.uid, newest.uid[:8], newest.start["scan_id"], -1):
        assert runs[key].start["uid"] == newest.uid
    for key in ("no such run, of this length, anywhere", 4321):
        with pytest.raises(KeyError):
            runs[key]


def test_what_an_access_policy_hides_is_not_there(runs, folder):
    from databroker import Broker

    with Broker.from_config({"driver": "sqlite", "path": str(folder / "runs.db")}) as whole:
        secret = next(iter(whole(plan_name="secret"))).uid
    assert secret not in runs
    assert not len(runs.search(tiled.Eq("start.plan_name", "secret")))
    with pytest.raises(KeyError):
        runs[secret]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (tiled.Regex("start.plan_name", "("), "not a valid pattern"),
        (tiled.AccessTagsFilter(["mine"]), "access_tags_filter"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_in_words(runs, query, said):
    from tiled.client.utils import ClientError

    with pytest.raises(ClientError, match=said):
        len(runs.search(query))


def test_a_cursor_is_one_that_was_given(server):
    import httpx

    from helpers.tiled_server import KEY

    address = f"{server.uri}/api/v1/search/lab/runs"
    for number in (0, 1, 10**40, 10**4000):
        params = {"page[cursor]": number, "api_key": KEY}
        answer = httpx.get(address, params=params, verify=False)
        assert answer.status_code in (400, 422), number
