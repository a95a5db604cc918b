"""Where nothing is found because a name is wrong, that is said once, with the nearest name."""

import warnings

import pytest

import databroker
from databroker.errors import NothingFoundWarning
from databroker.queries import Key, Status
from helpers import runs


@pytest.fixture
def scan(db):
    """A run of five points with a baseline, and a user's own metadata."""
    for kind, document in runs.plain("a", operator="Dan", proposal={"id": 5, "title": "Foils"}):
        db.insert(kind, document)
    return db[-1]


def said(action):
    """Do something; give the one thing that was said, whose place must be in this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    if not caught:
        return ""
    (only,) = caught
    assert only.category is NothingFoundWarning
    assert only.filename == __file__
    return str(only.message)


ASKED = {
    "a loop": list,
    "count": lambda results: results.count(),
    "first": lambda results: results.first(),
    "to_frame": lambda results: results.to_frame(),
    "distinct": lambda results: results.distinct("plan_name"),
}


@pytest.mark.usefixtures("scan")
class TestKeys:
    @pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
    def test_a_key_that_no_run_has(self, db, ask):
        message = said(lambda: ask(db(operater="Dan")))
        assert message == (
            "Nothing was found: no run has the key 'operater'. Did you mean 'operator'?"
        )

    @pytest.mark.parametrize(
        ("query", "key", "meant"),
        [
            ({"proposal.titel": "Foils"}, "proposal.titel", "proposal.title"),
            ({"stop.exit_staus": "fail"}, "stop.exit_staus", "stop.exit_status"),
            ({"sinse": "2015"}, "sinse", "since"),
            ({"smaple": "Ni"}, "smaple", "sample"),
            ({"operater": {"$regex": "D"}, "operator": "Dan"}, "operater", "operator"),
            ({"$or": [{"operater": "Dan"}, {"Operator": "Ana"}]}, "operater", "operator"),
        ],
    )
    def test_the_nearest_name(self, db, query, key, meant):
        found = f"no run has the key {key!r}. Did you mean {meant!r}?"
        assert found in said(lambda: list(db(query)))
        assert found in said(lambda: list(db.v2.search(query)))

    def test_a_key_like_none(self, db):
        assert said(lambda: list(db(zzz=5))) == "Nothing was found: no run has the key 'zzz'."

    @pytest.mark.parametrize(
        ("option", "instead"),
        [({"limit": 3}, "db(...).limit(n)"), ({"columns": ["uid"]}, "db(...).to_frame(columns)")],
    )
    def test_an_option_of_something_else(self, db, option, instead):
        message = said(lambda: list(db(**option)))
        assert f"no run has the key {next(iter(option))!r}. If it is not meant as a key" in message
        assert instead in message

    def test_a_known_word_is_no_slip(self, db):
        assert said(lambda: list(db(detector="det"))) == ""
        assert said(lambda: list(db(plan={"$gt": 5}, num_events=99))) == ""
        message = said(lambda: list(db(Key("status") == "fail")))
        assert message == "Nothing was found: no run has the key 'status'."

    def test_a_key_that_no_run_has_has_no_values(self, db):
        assert "'operater'" in said(lambda: db().distinct("operater"))

    @pytest.mark.parametrize(
        "query",
        [
            {"operator": "Ana"},
            {"operater": None, "operator": "Ana"},
            {"operater": {"$exists": False}, "operator": "Ana"},
            {"operater": {"$ne": 5}, "operator": "Ana"},
            {"$or": [{"operater": "Dan"}, {"operator": "Ana"}]},
            {"motor": "nobody"},
            {"status": "nobody"},
            {"since": "2100"},
            Key("scan_id") == 99,
            Status("fail"),
            "nowhere",
        ],
    )
    def test_nothing_is_said_where_no_key_is_wrong(self, db, query):
        assert said(lambda: list(db(query))) == ""
        assert said(lambda: db(query).count()) == ""

    def test_nothing_is_said_where_something_is_found(self, db):
        assert said(lambda: list(db(operator="Dan"))) == ""
        assert said(lambda: list(db({"operater": None}))) == ""

    def test_it_can_be_silenced(self, db):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", NothingFoundWarning)
            assert list(db(operater="Dan")) == []


def test_nothing_is_said_of_keys_where_there_are_no_runs(db):
    assert said(lambda: list(db(operater="Dan"))) == ""


STREAMS = {
    "table": lambda header, name: header.table(name),
    "events": lambda header, name: list(header.events(name)),
    "data": lambda header, name: list(header.data("det", name)),
    "fields": lambda header, name: header.fields(name),
    "devices": lambda header, name: header.devices(name),
    "get_table": lambda header, name: header.db.get_table(header.db(), name),
    "get_events": lambda header, name: list(header.db.get_events([header], name)),
}


@pytest.mark.parametrize("ask", STREAMS.values(), ids=STREAMS)
def test_a_stream_that_a_run_has_not(scan, ask):
    message = said(lambda: ask(scan, "primry"))
    assert "Run 'a-run' has no stream 'primry'. Did you mean 'primary'?" in message
    assert "It has: 'baseline', 'primary'." in message
    assert said(lambda: ask(scan, "primary")) == ""


def test_of_several_headers_one_may_lack_the_stream(db, scan):
    for kind, document in runs.plain("b", runs.FIRST + 5):
        if kind == "descriptor" and document["name"] == "primary":
            document["name"] = "other"
        db.insert(kind, document)
    assert said(lambda: db.get_table(db(), "primary")) == ""
    assert said(lambda: list(db.get_events(db(), "primary"))) == ""
    assert "has no stream 'dark'" in said(lambda: db.get_table(db(), "dark"))


def test_a_device_that_a_run_has_not(scan):
    assert "has no device 'motr'. Did you mean 'motor'?" in said(lambda: scan.config_data("motr"))
    assert said(lambda: scan.config_data("motor")) == ""


def test_nothing_is_said_of_a_run_without_streams(db):
    db.insert("start", {"uid": "a", "time": 1.0})
    assert said(lambda: db[-1].table()) == said(lambda: db[-1].config_data("motor")) == ""


def test_everything_is_asked_without_a_name(scan):
    assert said(lambda: scan.fields(databroker.ALL)) == said(lambda: list(scan.documents())) == ""
