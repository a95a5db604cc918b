"""A check finds what is not as it was written, in the indexes too, and mends these alone."""

import contextlib
import itertools
import re
import shutil
import sqlite3
import threading
import warnings

import pytest

from databroker import Broker
from databroker.errors import DamageWarning, StoreIsReadOnly
from databroker.query.nodes import DataKey, Equals, Everything, FullText
from databroker.query.nodes import Path as Key
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.limits import Limits
from databroker.testing import answers, expected
from databroker.testing.conformance.base import (
    datum,
    descriptor,
    event,
    event_page,
    insert_all,
    resource,
    start,
    stop,
    whole_run,
)
from helpers.sqlite_files import opened

RUNS = [pair for number in range(3) for pair in whole_run(f"whole{number}")]
for uid in "abc":
    RUNS += [("start", start(uid, 5.0, scan_id=ord(uid), sample={"name": "Ni foil"}, odd="\ud800"))]
    RUNS += [("descriptor", descriptor(f"{uid}-d", uid, "x"))]
    RUNS += [("event_page", event_page(range(2000), f"{uid}-d"))]
    RUNS += [("event", event(number, f"{uid}-d")) for number in range(3000, 3005)]
    RUNS += [("resource", resource(f"{uid}-r", run_start=uid))]
    RUNS += [("datum", datum(number, f"{uid}-r", f"odd {uid}")) for number in range(3)]
    RUNS += [("stop", stop(uid, exit_status="success"))] if uid != "c" else []

# So that a check of a few runs is one of many.
SMALL = Limits(compared=2, compared_again=(1, 1000), checked=2, checked_rows=2, checked_entries=3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file with runs."""
    path = tmp_path_factory.mktemp("whole") / "runs.db"
    with opened(path) as store:
        insert_all(store, RUNS)
    return path


@pytest.fixture
def damage(whole, path):
    """A copy of the file, of which a statement changes something."""
    shutil.copyfile(whole, path)

    def change(statement):
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
            assert raw.execute(statement).rowcount

    return change


def test_what_is_whole_is_told_with_what_was_looked_at(damage, path):
    for store in (SQLiteStore(path, limits=SMALL), MemoryStore()):
        with Broker(store) as db:
            if isinstance(store, MemoryStore):
                insert_all(store, RUNS)
            told = []
            report = db.check(lambda *step, told=told: told.append(step))
            assert report
            assert report.findings == ()
            assert report.checked["runs"] == 6
            assert report.checked["rows"] > 6000
            assert "all is as it was written" in repr(report)
            done = [one for one, _ in told]
            assert done == sorted(done)
            assert told[-1][0] == told[-1][1]


def test_an_empty_store_is_checked(path):
    with opened(path) as store:
        assert store.check()
        assert store.check(mend_index=True)


NI_FOIL, FOIL = "x'4e6920666f696c'", "x'666f696c'"
OF_A = "run = (SELECT id FROM runs WHERE uid = 'a')"
INDEX_CHANGES = {
    "an entry is missing": (f"DELETE FROM numbers WHERE {OF_A} AND value = 97", "'scan_id'"),
    "an entry has another value": (
        f"UPDATE numbers SET value = -97 WHERE {OF_A} AND value = 97",
        "'scan_id'",
    ),
    "another number of one hash": (
        f"UPDATE numbers SET value = value - 1 WHERE {OF_A} AND value = 97",
        "'scan_id'",
    ),
    "an entry has another kind": (
        "UPDATE paths SET kind = 5 WHERE path = 'sample.name'",
        "'sample.name'",
    ),
    "an entry is of another run": (
        f"UPDATE numbers SET run = run + 1 WHERE {OF_A} AND value = 97",
        "'scan_id'",
    ),
    "an entry is of no run": (
        f"UPDATE numbers SET run = 77 WHERE {OF_A} AND value = 97",
        "run that is not there",
    ),
    "an entry is no text": (
        f"UPDATE texts SET value = CAST(x'ff41' AS TEXT) WHERE {OF_A} AND value = {NI_FOIL}",
        "'sample.name'",
    ),
    "an odd text is another": (
        f"UPDATE texts SET value = x'eda081' WHERE {OF_A} AND value = x'eda080'",
        "'odd'",
    ),
    "a path has another name": (
        "UPDATE paths SET path = 'scan_ie' WHERE path = 'scan_id'",
        "'scan_ie'",
    ),
    "a path is no text": (
        "UPDATE paths SET path = CAST(x'ff' AS TEXT) WHERE path = 'scan_id'",
        "'scan_id'",
    ),
    "a path has another number": ("UPDATE paths SET id = 777 WHERE path = 'scan_id'", "'scan_id'"),
    "a path is of another document": (
        "UPDATE paths SET document = 1 WHERE path = 'scan_id'",
        "'stop.scan_id'",
    ),
    "a mark is missing": (
        "DELETE FROM numbers WHERE path = (SELECT id FROM paths WHERE path = 'every')",
        "that it is there",
    ),
    "a mark is of another run": (
        "UPDATE numbers SET run = (SELECT id FROM runs WHERE uid = 'c') WHERE "
        f"path = (SELECT id FROM paths WHERE path = 'ended') AND {OF_A}",
        "that it has ended",
    ),
    "a mark is of no run": (
        "UPDATE numbers SET run = 77 WHERE "
        f"path = (SELECT id FROM paths WHERE path = 'every') AND {OF_A}",
        "that it is there",
    ),
    "a data key has another name": (
        f"UPDATE texts SET value = x'79' WHERE value = x'78' AND {OF_A}",
        "the data key 'y'",
    ),
    "a word is missing": (f"DELETE FROM texts WHERE value = {FOIL} AND {OF_A}", "the word 'foil'"),
    "a word is another": (
        f"UPDATE texts SET value = x'666f6a6c' WHERE value = {FOIL} AND {OF_A}",
        "the word 'fojl'",
    ),
    "a word is no text": (
        f"UPDATE texts SET value = CAST(x'ff' AS TEXT) WHERE value = {FOIL} AND {OF_A}",
        "the word 'foil'",
    ),
    "all numbers are missing": ("DELETE FROM numbers", "'scan_id'"),
    "all texts are missing": ("DELETE FROM texts", "'exit_status'|'odd'|the word"),
    "a datum is of another resource": (
        "UPDATE datum_owners SET owner = 'b-r' WHERE owner = 'a-r'",
        "3 datum",
    ),
    "a datum has another id": (
        "UPDATE datum_owners SET datum_id = 'x' WHERE datum_id = (SELECT min(datum_id) FROM "
        "datum_owners WHERE owner = 'a-r')",
        "1 datum",
    ),
    "rows are of another run": ("UPDATE series SET run = 'b' WHERE owner = 'a-d'", "another run"),
    "moved runs are forgotten": ("DELETE FROM meta WHERE key = 'displacement'", "moved on"),
    "moved runs are damaged": (
        "UPDATE meta SET value = x'00' WHERE key = 'displacement'",
        "moved on",
    ),
}


def asked(store):
    """Answers that indexes give, and what each run holds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamageWarning)
        questions = [
            Everything(),
            Equals(Key("scan_id"), 97),
            Equals(Key("sample.name"), "Ni foil"),
            Equals(Key("odd"), "\ud800"),
            Equals(Key("exit_status", "stop"), "success"),
            Equals(Key("exit_status", "stop"), None),
            FullText(("foil",)),
            DataKey("x"),
        ]
        found = [[run.uid for run in store.find(each)] for each in questions]
        counts = [store.count(each) for each in questions]
        return found, counts, store.distinct(Key("scan_id"), Everything()), answers(store, RUNS)


@pytest.fixture(scope="module")
def right(whole):
    """What is answered when nothing is damaged."""
    with opened(whole, limits=SMALL) as store:
        return asked(store)


@pytest.mark.parametrize("change", INDEX_CHANGES)
def test_what_an_index_says_otherwise_is_found_and_mended(damage, path, right, change):
    statement, named = INDEX_CHANGES[change]
    damage(statement)
    with opened(path, limits=SMALL) as store:
        report = store.check()
        assert not report
        assert "mend_index=True" in repr(report)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("databroker.display.listing._MOST", 99)
            assert any(name.strip("'") in repr(report) for name in named.split("|"))
        mended = store.check(mend_index=True)
        assert mended
        assert mended.ok
        assert [str(each) for each in mended.findings] == [
            f"{each} (mended)" for each in report.findings if each.in_index
        ]
        assert store.check().findings == ()
        assert asked(store) == right
        assert right[-1] == expected(RUNS)


def test_a_run_is_told_by_its_uid(damage, path):
    damage(INDEX_CHANGES["a word is missing"][0])
    with opened(path) as store:
        (found,) = store.check().findings
    assert found.run == "a"
    assert found.in_index
    assert str(found) == "Run 'a': the index lacks 1 of its entries (the word 'foil')."


def flipped(table, column, where):
    half = f"length({column}) / 2"
    changed = f"CAST(substr({column}, 1, {half}) || x'f9' || substr({column}, {half} + 2) AS BLOB)"
    return f"UPDATE {table} SET {column} = {changed} WHERE {where}"


SERIES = "(SELECT id FROM series WHERE owner = 'a-d')"
OTHER_CHANGES = {
    "start": (flipped("runs", "start", "uid = 'a'"), "start document of run 'a'"),
    "uid": ("UPDATE runs SET uid = CAST(x'ff' AS TEXT) WHERE uid = 'a'", "cannot be read"),
    "arrival": ("UPDATE runs SET arrival = 99 WHERE uid = 'a'", "start document of run 'a'"),
    "stop": (flipped("runs", "stop", "uid = 'a'"), "Run 'a': the stop document"),
    "lost stop": (
        "UPDATE runs SET stop = NULL, stop_uid = NULL WHERE uid = 'a'",
        "Run 'a': its stop",
    ),
    "lost run": ("DELETE FROM runs WHERE uid = 'a'", "A run is missing, which began 5.000 s"),
    "descriptor": (flipped("documents", "body", "uid = 'a-d'"), "Run 'a'.*descriptor 'a-d'"),
    "lost descriptor": (
        "DELETE FROM documents WHERE uid = 'a-d'",
        "the descriptor 'a-d' is missing",
    ),
    "lost series": ("DELETE FROM series WHERE owner = 'a-d'", "which rows belong to it"),
    "kind of rows": (
        "UPDATE series SET kind = 'evenu' WHERE owner = 'a-d'",
        "belong to is not known",
    ),
    "count of rows": (
        "UPDATE series SET sealed = 7 WHERE owner = 'a-d'",
        "Run 'a', stream 'primary'",
    ),
    "larger count": (
        "UPDATE series SET sealed = 9999 WHERE owner = 'a-d'",
        "Run 'a', stream 'primary', rows 2005 to 9998",
    ),
    "block": (
        f"DELETE FROM blocks WHERE series = {SERIES} AND first = 0",
        "stream 'primary', rows 0 to 1999",
    ),
    "segment": (
        flipped("segments", "data", "length(data) = (SELECT max(length(data)) FROM segments)"),
        "rows 0 to 1999: a segment",
    ),
    "row": (flipped("tail", "body", "seq = 3002"), "Run 'c', stream 'primary', row 2002"),
    "lost row": ("DELETE FROM tail WHERE seq = 3002", "Run 'c', stream 'primary', row 2002"),
    "far row": ("UPDATE tail SET id = id + 2000000 WHERE seq = 3004", "rows 2004 to 2002003"),
    "row of nothing": (
        "UPDATE tail SET id = id + (1 << 40) WHERE seq = 3004",
        "nothing leads to them",
    ),
    "row within blocks": (
        "UPDATE tail SET id = id - 2000 WHERE seq = 3004",
        "nothing leads to them",
    ),
}


@pytest.mark.parametrize("change", OTHER_CHANGES)
def test_other_damage_is_found_and_left_as_it_is(damage, path, change):
    statement, named = OTHER_CHANGES[change]
    damage(statement)
    with opened(path, limits=SMALL) as store:
        report = store.check()
        assert not report
        assert re.search(named, repr(report)), report
        assert {each.run for each in report.findings} <= {"a", "b", "c", None}
        held = stored(path)
        mended = store.check(mend_index=True)
        assert stored(path) == held
        left = [str(each) for each in report.findings if not each.in_index]
        assert [str(each) for each in mended.findings if not each.in_index] == left
        assert [str(each) for each in store.check().findings] == left


def stored(path):
    """Everything but the indexes."""
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.text_factory = bytes
        tables = ("runs", "documents", "blocks", "segments", "tail")
        return [raw.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


@pytest.mark.parametrize("table", ["texts", "numbers", "sqlite_autoindex_runs_1"])
def test_an_index_out_of_order_is_mended(damage, path, table):
    with opened(path) as store:
        right = asked(store)
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()
    content = bytearray(path.read_bytes())
    old, new = {
        "texts": (b"Ni foil", b"Zi foil"),
        "numbers": ((5_000_000_000).to_bytes(5), b"\xff" * 5),
    }.get(table, (b"whole0", b"zhole0"))
    place = content.index(old, 8192 * (page - 1), 8192 * page)
    content[place : place + len(old)] = new
    path.write_bytes(content)
    with opened(path) as store:
        found = store.check().findings
        assert found
        assert all(each.in_index for each in found)
        assert store.check(mend_index=True)
        assert not store.check().findings
        assert asked(store) == right


def test_what_others_write_meanwhile_is_not_called_damaged(path, small_limits):
    with opened(path, limits=SMALL) as store, opened(path, limits=SMALL) as other:
        insert_all(store, whole_run("first"))
        stopped = threading.Event()

        def write():
            for number in itertools.count():
                for pair in whole_run(f"{number}"):
                    if stopped.is_set():
                        return
                    other.insert(*pair)

        writing = threading.Thread(target=write)
        writing.start()
        try:
            for mend in (False, True, False, True):
                report = store.check(mend_index=mend)
                assert not report.findings, report
        finally:
            stopped.set()
            writing.join()
        assert not store.check().findings


@pytest.mark.parametrize("key", ["key 9999", "word9999"])
def test_a_filter_that_is_damaged_is_found_and_mended(path, key):
    large = {f"key {number}": f"word{number}" for number in range(20_000)}
    query = FullText((key,)) if key.startswith("word") else Equals(Key(key), "word9999")
    with opened(path) as store:
        store.insert("start", start("a", **large))
        assert store.count(query) == 1
        with contextlib.closing(sqlite3.connect(path)) as raw, raw:
            emptied = "UPDATE texts SET value = zeroblob(length(value)) WHERE length(value) > 999"
            assert raw.execute(emptied).rowcount == 2
        assert store.count(query) == 0
        (found,) = store.check().findings
        assert found.in_index
        assert store.check(mend_index=True)
        assert store.count(query) == 1


def test_of_very_many_findings_some_are_named_and_all_are_mended(damage, path):
    damage("DELETE FROM numbers")
    with opened(path, limits=Limits(findings=2)) as store:
        report = store.check()
        assert [str(each) for each in report.findings[2:]] == ["4 more findings in the index."]
        assert store.check(mend_index=True)
        assert not store.check().findings


def test_a_file_that_is_only_read_is_checked_but_not_mended(damage, path):
    damage(INDEX_CHANGES["a word is missing"][0])
    with opened(path, read_only=True) as store:
        assert not store.check()
        with pytest.raises(StoreIsReadOnly, match="reading only"):
            store.check(mend_index=True)
        assert not store.check()
