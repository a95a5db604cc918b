"""The questions of databroker 2: each finds what ours find, in every place where one is taken."""

import pytest

import databroker
from databroker import queries
from databroker.errors import InvalidQuery, UnsupportedQuery
from databroker.queries import Comparison, Contains, Eq, Like, NotIn, PartialUID, Regex, ScanIDRange

RUNS = [
    {"uid": "bb80-1", "scan_id": 1, "plan_name": "scan", "detectors": ["ccd", "ccd2"], "T": 290},
    {"uid": "bb80-2", "scan_id": 2, "plan_name": "count", "detectors": ["ccd2"], "T": 300},
    {"uid": "x39d-3", "scan_id": 3, "plan_name": "rel_scan", "sample": {"name": "Ni\nfoil 50%"}},
]


@pytest.fixture(scope="module")
def db():
    with databroker.Broker.from_config({"driver": "memory"}) as broker:
        for number, run in enumerate(RUNS):
            broker.insert("start", {"time": float(number), **run})
        stop = {"uid": "s", "run_start": "bb80-1", "time": 9.0, "exit_status": "fail"}
        broker.insert("stop", stop)
        yield broker


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("Eq('plan_name', 'scan')", [1]),
        ("Eq('start.plan_name', 'scan')", [1]),
        ("Eq('stop.exit_status', 'fail')", [1]),
        ("Key('start.scan_id') > 2", [3]),
        ("NotEq('plan_name', 'scan')", [3, 2]),
        ("In('scan_id', [1, 3, 9])", [3, 1]),
        ("In('scan_id', value=(1,))", [1]),
        ("NotIn('start.scan_id', [1, 3])", [2]),
        ("Comparison('gt', 'T', 290)", [2]),
        ("Comparison('ge', 'T', 290)", [2, 1]),
        ("Comparison('lt', 'T', 300)", [1]),
        ("Comparison(Operator.le, 'start.T', 300)", [2, 1]),
        ("Contains('detectors', 'ccd')", [1]),
        ("Contains('plan_name', 'scan')", [3, 1]),
        ("Contains('scan_id', 2)", [2]),
        ("Regex('plan_name', '^(rel_)?scan')", [3, 1]),
        ("Regex('plan_name', 'SCAN')", []),
        ("Regex('plan_name', 'SCAN', case_sensitive=False)", [3, 1]),
        ("Like('plan_name', '%scan')", [3, 1]),
        ("Like('plan_name', 'sca_')", [1]),
        ("Like('plan_name', 'can')", []),
        ("Like('sample.name', 'Ni%')", [3]),
        ("KeyPresent('T')", [2, 1]),
        ("KeyPresent('start.sample.name', exists=False)", [2, 1]),
        ("KeyPresent('stop.exit_status')", [1]),
        ("KeyLookup('bb80-2')", [2]),
        ("PartialUID('bb80')", [2, 1]),
        ("PartialUID('bb80-2', 'x39')", [3, 2]),
        ("PartialUID()", []),
        ("ScanID(1, 3)", [3, 1]),
        ("ScanIDRange(1, 3)", [2, 1]),
        ("ScanIDRange(2, 9, duplicates='all')", [3, 2]),
        ("RawMongo(start={'plan_name': 'scan', 'T': {'$lt': 300}})", [1]),
        ("FullText('rel scan')", [3]),
        ("Eq('plan_name', 'scan') | Regex('sample.name', 'foil')", [3, 1]),
        ("PartialUID('bb80') & ~Contains('detectors', 'ccd')", [2]),
    ],
)
def test_a_question_finds(db, code, wanted):
    query = eval(code, vars(queries))
    assert [header.start["scan_id"] for header in db(query)] == wanted
    assert [run.metadata["start"]["scan_id"] for run in db.v2.search(query).values()] == wanted
    assert eval(repr(query), vars(queries)) == query


def test_searches_are_chained_as_in_databroker_2(db):
    found = db.v2.search(Contains("detectors", "ccd2")).search(Comparison("lt", "scan_id", 2))
    assert list(found) == ["bb80-1"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Comparison("eq", "T", 5),
        lambda: Regex("T", "("),
        lambda: Regex("T", 5),
        lambda: Like("T", 5),
        lambda: PartialUID(5),
        lambda: NotIn("T", "scan"),
        lambda: Eq(5, 5),
    ],
)
def test_mistakes_are_refused_at_once(make):
    with pytest.raises(InvalidQuery):
        make()
    assert queries.QueryValueError is InvalidQuery


def test_no_run_is_chosen_among_those_of_one_scan_id():
    with pytest.raises(UnsupportedQuery, match=r"db\[scan_id\]"):
        ScanIDRange(1, 5, duplicates="latest")


def test_a_key_start_is_told_from_the_document_by_saying_so():
    inner = queries.Key("start.x", document="start") == 1
    assert inner.path.parts == ("start", "x")
    assert eval(repr(inner), vars(queries)) == inner != Eq("start.x", 1)
