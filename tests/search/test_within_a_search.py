"""Whatever is made from a search stays among its runs."""

import pickle

import pytest

import databroker
from databroker import Broker
from databroker.errors import AmbiguousPrefix, NoSuchRun, TooFarBack
from databroker.queries import Everything, Key


@pytest.fixture
def six(save):
    """Six runs of two plans in turn; the newest is a count."""
    for n in range(6):
        plan = ("scan", "count")[n % 2]
        save(f"{plan[0]}{n}-run", float(n), "success", scan_id=n // 2 + 1, plan_name=plan, n=n)


SCANS = {"plan_name": "scan"}

BROKERS = {
    "v1 of a search": lambda db: db.v2.search(SCANS).v1,
    "v1 of a search in a search": lambda db: db.v2.search({"n": {"$lt": 5}}).search(SCANS).v1,
    "its catalog's broker": lambda db: db.v2.search(SCANS).v1.v2.v1,
    "of a header": lambda db: db.v2.search(SCANS).v1[-1].db,
    "of a header of results": lambda db: db.v2.search(SCANS).v1().first().db,
    "of a run": lambda db: db.v2.search(SCANS)[-1].header.db,
    "narrowed": lambda db: db.narrowed(Key("plan_name") == "scan"),
    "the newest three": lambda db: db.v2.search(SCANS, limit=3).v1,
    "of the newest five": lambda db: db.v2.search({"n": {"$lt": 5}}, limit=5).search(SCANS).v1,
}


@pytest.fixture(params=BROKERS)
def scans(request, db, six):
    """A broker of the scans alone, made in one of many ways."""
    return BROKERS[request.param](db)


def uids(headers):
    return [header.uid[:2] for header in headers]


def test_look_ups(scans):
    assert uids([scans[-1], scans[-3], scans[2], scans["s0"], scans["s0-run"]]) == [
        *("s4", "s0", "s2", "s0", "s0")
    ]
    assert uids(scans[-2:]) == ["s4", "s2"]
    with pytest.raises(TooFarBack, match="only 3 runs here"):
        scans[-4]
    with pytest.raises(TooFarBack):
        scans[-4:]
    for key in ("c5", "c5-run", 7):
        with pytest.raises(NoSuchRun, match=r"newest run is scan_id 3, uid 's4-run'"):
            scans[key]
    with pytest.raises(AmbiguousPrefix) as caught:
        scans[""]
    assert "c5" not in str(caught.value)


def test_headers_of_runs_outside_are_no_keys(db, scans):
    assert scans[db["s2"]].uid == "s2-run"
    for outside in (db[-1], db.v2[-1]):
        with pytest.raises(NoSuchRun):
            scans[outside]
        assert outside not in scans.v2


def test_searches(scans):
    assert uids(scans()) == ["s4", "s2", "s0"]
    assert uids(scans(n={"$gt": 1})) == ["s4", "s2"]
    assert uids(scans("count")) == []
    assert uids(scans().sort("uid").limit(2)) == ["s0", "s2"]
    assert uids(scans(Key("plan_name") == "count")) == []
    assert uids(scans(~Everything())) == []


def test_counts_and_values(scans):
    assert scans().count() == scans.stats()["runs"] == len(scans.v2) == 3
    assert scans(n={"$gt": 1}).limit(1).count() == 1
    assert dict(scans().distinct("plan_name")) == {"scan": 3}
    assert list(scans().to_frame()["plan_name"]) == ["scan"] * 3
    assert str(scans).startswith("Broker: 3 runs")
    assert "c5" not in scans._repr_html_() + scans()._repr_html_() + scans.v2._repr_html_()


def test_aliases_and_filters(db, scans):
    scans.alias("late", n={"$gt": 1})
    scans.dynamic_alias("early", lambda: {"n": {"$lt": 2}})
    assert uids(scans.late) == ["s4", "s2"]
    assert uids(scans.early) == ["s0"]
    scans.add_filter(n={"$lt": 3})
    assert uids(scans()) == ["s2", "s0"]
    scans.clear_filters()
    assert scans().count() == 3
    assert not hasattr(db, "late"), "what a broker of a search is told is not told to the other"


def test_the_mapping(scans):
    catalog = scans.v2
    assert [uid[:2] for uid in catalog] == [uid[:2] for uid, _ in catalog.items()]
    assert list(catalog) == ["s4-run", "s2-run", "s0-run"]
    assert "s0" in catalog
    assert "c1-run" not in catalog
    assert catalog.get("c1") is None
    assert catalog.name == repr(catalog)[10:-1] == "search results"


def test_a_search_that_narrows_until_nothing_is_left_comes_to_an_end(db, six):
    catalog, seen = db.v2.search(SCANS), []
    while len(catalog):
        newest = catalog.v1[-1].uid
        seen.append(newest[:2])
        catalog = catalog.search({"uid": {"$ne": newest}})
    assert seen == ["s4", "s2", "s0"]
    with pytest.raises(TooFarBack):
        catalog.v1[-1]


def test_a_broker_of_a_search_begins_with_what_the_other_knows(db, six):
    db.alias("late", n={"$gt": 3})
    db.add_filter(n={"$lt": 5})
    db.external_fetchers["title"] = lambda start, stop: "Proposal"
    db.prepare_hook = lambda kind, document: {**document, "seen": True}
    scans = db.v2.search(SCANS).v1
    assert uids(scans()) == ["s4", "s2", "s0"]
    assert uids(scans.late) == ["s4"]
    assert scans[-1].ext.title == "Proposal"
    assert scans[-1].start["seen"]
    assert scans.reg is db.reg


def test_what_is_inserted_is_kept_and_seen_where_it_belongs(db, six):
    scans = db.v2.search(SCANS).v1
    for name, plan in (("new scan", "scan"), ("new count", "count")):
        scans.insert("start", {"uid": name, "time": 9.0, "plan_name": plan})
    assert scans[-1].uid == "new scan"
    assert db["new count"].start["plan_name"] == "count"
    with pytest.raises(NoSuchRun):
        scans["new count"]


def test_a_header_goes_on_when_its_run_leaves_the_search(db):
    db.insert("start", {"uid": "a", "time": 1.0})
    unfinished = db.narrowed(~Key("stop.uid").exists())
    header = unfinished[-1]
    closed = unfinished.close_run("a", force=True)
    assert closed.stop["exit_status"] == header.stop["exit_status"] == header.status == "fail"
    with pytest.raises(NoSuchRun):
        unfinished["a"]


def test_the_newest_few_are_always_those_of_now(db, six):
    newest = db.v2.search({}, limit=2)
    within = newest.search(SCANS)
    assert list(newest) == ["c5-run", "s4-run"]
    db.insert("start", {"uid": "s6", "time": 9.0, "plan_name": "scan"})
    assert list(newest) == ["s6", "c5-run"]
    assert list(within) == ["s6"]
    assert dict(newest.v1().distinct("plan_name")) == {"scan": 1, "count": 1}


def test_a_limit_counts_from_zero(db, six):
    assert list(db.v2.search({}, limit=0)) == []
    with pytest.raises(ValueError, match="from 0 upwards"):
        db.v2.search({}, limit=-1)


def test_catalogs_of_the_same_runs_are_equal(db, six):
    other = databroker.temp()
    assert db.v2 == db.v2
    assert len({db.v2, db.v2, db.v2.search({})}) == 1
    assert db.v2.search(SCANS) == db.v2.search(SCANS).v1.v2
    assert db.v2 != other.v2
    assert db.v2.search(SCANS) not in (db.v2, db.v2.search({"n": 1}), db.v2.search(SCANS, limit=1))
    assert db.v2 != "db.v2"


@pytest.mark.parametrize("what", ["broker", "catalog", "results", "header"])
def test_a_pickle_stays_inside(tmp_path, what):
    with Broker.from_config({"driver": "sqlite", "path": str(tmp_path / "runs.db")}) as db:
        for uid, plan in (("a", "scan"), ("b", "count")):
            db.insert("start", {"uid": uid, "time": 1.0, "plan_name": plan})
        scans = db.v2.search(SCANS).v1
        made = {"broker": scans, "catalog": scans.v2, "results": scans(), "header": scans[-1]}[what]
        again = pickle.loads(pickle.dumps(made))
        broker = {
            "broker": lambda: again,
            "catalog": lambda: again.v1,
            "results": lambda: again.first().db,
            "header": lambda: again.db,
        }[what]()
        with broker:
            assert [header.uid for header in broker()] == [broker[-1].uid] == ["a"]
            assert "b" not in broker.v2
