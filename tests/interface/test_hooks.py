"""Filters, aliases, and functions that see what is handed out."""

import pytest

from databroker import Broker, wrap_in_doct
from helpers import runs
from helpers.runs import FIRST, save


def uids(results):
    return [header.uid for header in results]


@pytest.fixture
def three(db):
    for n, operator in enumerate(("Dan", "Ana", "Dan")):
        save(db, runs.plain(f"r{n}", FIRST + n, operator=operator, n=n))
    return db


def test_filters_narrow_every_search_but_no_look_up(three):
    three.add_filter(operator="Dan")
    assert uids(three()) == ["r2-run", "r0-run"]
    assert uids(three(n=1)) == []
    assert three[-2].uid == "r1-run"
    three.add_filter(operator="Ana", n=1)
    assert three.filters == {"operator": "Ana", "n": 1}
    assert uids(three()) == ["r1-run"]
    three.clear_filters()
    assert three.filters == {}
    assert len(uids(three())) == 3


def test_filters_mean_what_a_search_means(three):
    three.add_filter(since=FIRST + 1, data_key="det")
    assert three.filters["since"] == FIRST + 1
    assert uids(three()) == ["r2-run", "r1-run"]
    assert uids(three(until=FIRST + 1)) == ["r1-run"]
    three.add_filter(data_key="nonsense")
    assert uids(three()) == []


def test_results_keep_the_filters_that_held_when_they_were_made(three):
    results = three()
    three.add_filter(operator="Ana")
    assert len(uids(results)) == 3


def test_an_alias_is_a_search_by_name(three):
    three.alias("dans", operator="Dan")
    assert uids(three.dans) == ["r2-run", "r0-run"]
    three.alias("dans", operator="Ana")
    assert uids(three.dans) == ["r1-run"]
    assert three.aliases == {"dans": {"operator": "Ana"}}
    assert "dans" not in dir(three)


def test_a_dynamic_alias_is_asked_each_time(three):
    wanted = {"n": 0}
    three.dynamic_alias("wanted", lambda: wanted)
    assert uids(three.wanted) == ["r0-run"]
    wanted["n"] = 2
    assert uids(three.wanted) == ["r2-run"]


@pytest.mark.parametrize("name", ["insert", "name", "filters", "v2", "get_table"])
def test_an_alias_takes_no_name_of_the_broker(db, name):
    with pytest.raises(ValueError, match=name):
        db.alias(name, plan_name="scan")
    with pytest.raises(ValueError, match=name):
        db.dynamic_alias(name, dict)


def test_an_unknown_attribute_is_an_ordinary_error(db):
    with pytest.raises(AttributeError, match="nonsense"):
        db.nonsense  # noqa: B018


def test_the_hook_sees_every_document(db):
    header = save(db, runs.external())
    seen = []

    def hook(kind, document):
        seen.append(kind)
        return {**document, "seen": kind}

    db.prepare_hook = hook
    assert header.start["seen"] == "start"
    assert header.stop["seen"] == "stop"
    assert [doc["seen"] for doc in header.descriptors] == ["descriptor"]
    assert {event["seen"] for event in header.events()} == {"event"}
    assert all(doc["seen"] == kind for kind, doc in header.documents())
    assert {*seen} == {"start", "stop", "descriptor", "event", "resource", "datum"}


def test_the_hook_may_give_anything(header):
    header.db.prepare_hook = lambda kind, document: (kind, len(document))
    assert header.start[0] == "start"
    header.db.prepare_hook = wrap_in_doct
    assert header.start.plan_name == "scan"
    assert header.table().shape == (5, 4)  # reading does not depend on it
    assert header._repr_html_()


def test_what_the_hook_changes_stays_outside(header):
    def hook(kind, document):
        document["seen"] = True
        return document

    header.db.prepare_hook = hook
    assert header.start["seen"]
    list(header.documents())
    del header.db.prepare_hook
    assert "seen" not in header.start
    assert "seen" not in header.stop


def test_external_fetchers(db):
    save(db, runs.plain())
    db.external_fetchers["both"] = lambda start, stop: (start["uid"], stop["uid"])
    assert db[-1].ext.both == ("plain-run", "plain-stop")
    assert db.fetch_external({"uid": "a"}, {"uid": "b"}) == {"both": ("a", "b")}
    assert [header.ext.both for header in db()] == [("plain-run", "plain-stop")]
    assert vars(db[-1]["ext"]) == {"both": ("plain-run", "plain-stop")}


def test_what_a_fetcher_raises_is_not_hidden(db):
    save(db, runs.plain())

    def fetch(start, stop):
        raise LookupError("the logbook is closed")

    db.external_fetchers["log"] = fetch
    with pytest.raises(LookupError, match="the logbook is closed"):
        db[-1]


def test_a_configuration_may_mend_documents():
    mends = {
        "start": lambda doc: {**doc, "sample": "mended"},
        "stop": lambda doc: {**doc, "reason": "mended"},
        "descriptor": lambda doc: {**doc, "hints": "mended"},
    }
    db = Broker.from_config({"driver": "memory", "transforms": mends})
    header = save(db, runs.plain())
    assert header.start["sample"] == "mended"
    assert header.stop["reason"] == "mended"
    assert {doc["hints"] for doc in header.descriptors} == {"mended"}
    assert header.table(fields=["sample"])["sample"].tolist() == ["mended"] * 5
    assert dict(header.documents())["start"]["sample"] == "mended"
