"""What a disk has changed: it is found, it is named, and everything else stays readable."""

import contextlib
import shutil
import sqlite3
import warnings
from random import Random

import numpy as np
import pytest

from databroker import Broker
from databroker.columns import Selection
from databroker.errors import DamageWarning, ForeignStore, StoreDamaged
from databroker.query.nodes import Equals, Everything
from databroker.query.nodes import Path as Key
from databroker.testing import read_rows
from databroker.testing.conformance.base import (
    datum,
    descriptor,
    event,
    event_page,
    insert_all,
    resource,
    start,
    stop,
)
from helpers.sqlite_files import opened

IMAGE = np.arange(5000.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Three runs in a file."""
    path = tmp_path_factory.mktemp("whole") / "runs.db"
    with opened(path) as store:
        for uid in "abc":
            insert_all(store, [("start", start(uid, scan_id=ord(uid), sample="Ni"))])
            for name in ("primary", "baseline"):
                one = descriptor(f"{uid}-{name}", uid, "x", "img") | {"name": name}
                store.insert("descriptor", one)
            for number in range(4):
                store.insert("event", event(number, f"{uid}-primary", x=number, img=IMAGE + number))
            store.insert("event_page", event_page(range(10, 2000), f"{uid}-baseline"))
            store.insert("event_page", event_page(range(2000, 2010), f"{uid}-baseline"))
            insert_all(store, [("resource", resource(f"{uid}-r", run_start=uid))])
            insert_all(store, [("datum", datum(n, f"{uid}-r", f"{uid}-r/")) for n in range(3)])
            if uid != "c":
                store.insert("stop", stop(uid, exit_status="success"))
    return path


@pytest.fixture
def damage(whole, path):
    """A copy of the file, of which a statement changes something."""
    shutil.copyfile(whole, path)

    def change(statement, *values):
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
            assert raw.execute(statement, values).rowcount

    return change


def flipped(table, column, where):
    """A statement that changes the middle of a blob."""
    half = f"length({column}) / 2"
    changed = f"CAST(substr({column}, 1, {half}) || x'07' || substr({column}, {half} + 2) AS BLOB)"
    return f"UPDATE {table} SET {column} = {changed} WHERE {where}"


def found(store, query=None):
    return [run.uid for run in store.find(Everything() if query is None else query)]


# -- runs ----------------------------------------------------------------------

START_CHANGES = [
    flipped("runs", "start", "uid = 'b'"),
    "UPDATE runs SET start = 'text' WHERE uid = 'b'",
    "UPDATE runs SET start = (SELECT start FROM runs WHERE uid = 'a') WHERE uid = 'b'",
    "UPDATE runs SET arrival = 77 WHERE uid = 'b'",
    "UPDATE runs SET time = 1 WHERE uid = 'b'",
    "UPDATE runs SET pid = 'x' WHERE uid = 'b'",
]


@pytest.mark.parametrize("statement", START_CHANGES)
def test_a_search_goes_past_a_damaged_start_and_says_how_many(damage, path, statement):
    damage(statement)
    with opened(path) as store:
        for query in (Everything(), Equals(Key("sample"), "Ni")):
            with pytest.warns(DamageWarning, match="starts of 1 runs") as said:
                assert found(store, query) == ["c", "a"]
            assert len(said) == 1
        with pytest.raises(StoreDamaged, match="start document of run 'b'"):
            store.record("b")
        assert store.record("a").start["scan_id"] == ord("a")


def test_a_damaged_stop_spoils_nothing_else(damage, path):
    damage(flipped("runs", "stop", "uid = 'a'"))
    with opened(path) as store:
        with pytest.warns(DamageWarning, match="stops of 1"):
            assert found(store) == ["c", "b", "a"]
        with pytest.warns(DamageWarning, match="stop document of run 'a'"):
            assert store.record("a").stop is None
        assert len(read_rows(store, "event", "a-primary")) == 4
        store.insert("stop", stop("a", exit_status="success"))  # delivered again, it is whole
        assert store.record("a").stop["exit_status"] == "success"


def test_a_damaged_descriptor_spoils_its_own_events_only(damage, path):
    damage(flipped("documents", "body", "uid = 'a-primary'"))
    with opened(path) as store:
        db = Broker(store)
        with pytest.warns(DamageWarning, match="Run 'a': 1 of its descriptors"):
            assert len(db["a"].table("baseline")) == 2000
        assert len(db["b"].table("primary")) == 4


def test_a_descriptor_that_is_missing_is_missed(damage, path):
    damage("DELETE FROM documents WHERE uid = 'a-primary'")
    with opened(path) as store, pytest.warns(DamageWarning, match="Run 'a': 1 of its"):
        assert [doc["uid"] for _, doc in store.documents("a")] == ["a-baseline", "a-r"]


def test_rows_that_nobody_knows_any_more_are_missed(damage, path):
    damage("DELETE FROM series WHERE owner = 'a-primary'")
    with opened(path) as store:
        with pytest.raises(StoreDamaged, match="descriptor 'a-primary' is there, but which rows"):
            read_rows(store, "event", "a-primary")
        assert len(read_rows(store, "event", "a-baseline")) == 2000


# -- rows ----------------------------------------------------------------------

BLOCK = "series = (SELECT id FROM series WHERE owner = 'a-baseline') AND first = 0"
BLOCK_CHANGES = [
    f"DELETE FROM blocks WHERE {BLOCK}",
    flipped("blocks", "layout", BLOCK),
    f"UPDATE blocks SET layout = 5 WHERE {BLOCK}",
    f"UPDATE blocks SET stop = stop + 5 WHERE {BLOCK}",
    f"UPDATE blocks SET min_seq = 'x' WHERE {BLOCK}",
    f"UPDATE blocks SET max_seq = 7 WHERE {BLOCK}",
]


@pytest.mark.parametrize("statement", BLOCK_CHANGES)
def test_a_damaged_block_names_run_stream_and_rows(damage, path, statement):
    damage(statement)
    with opened(path) as store:
        with pytest.raises(StoreDamaged, match=r"Run 'a', stream 'baseline', rows 0 to 1989"):
            read_rows(store, "event", "a-baseline")
        assert len(read_rows(store, "event", "a-baseline", 1990)) == 10
        assert len(read_rows(store, "event", "b-baseline")) == 2000
        with pytest.raises(StoreDamaged, match=r"Run 'a', stream 'baseline'"):
            Broker(store)["a"].table("baseline")


@pytest.fixture
def segment(damage, path):
    """Change the segment of a field of images, of run a."""
    with contextlib.closing(sqlite3.connect(path)) as raw:
        numbers = raw.execute("SELECT id FROM segments WHERE instr(data, 'data/img')").fetchall()
    number = min(numbers)[0]

    def change(statement):
        damage(statement.format(id=number))

    return change


SEGMENT_CHANGES = [
    "DELETE FROM segments WHERE id = {id}",
    flipped("segments", "data", "id = {id}"),
    "UPDATE segments SET data = 'text' WHERE id = {id}",
    "UPDATE segments SET data = substr(data, 1, 900) WHERE id = {id}",
    "UPDATE segments SET data = (SELECT data FROM segments WHERE id != {id}) WHERE id = {id}",
]


@pytest.mark.parametrize("statement", SEGMENT_CHANGES)
def test_a_damaged_segment_spoils_its_own_fields_only(segment, path, statement):
    segment(statement)
    with opened(path) as store:
        with pytest.raises(StoreDamaged, match=r"Run 'a', stream 'primary', row.*a segment"):
            read_rows(store, "event", "a-primary")
        assert [
            row["seq_num"]
            for row in read_rows(store, "event", "a-primary", selection=Selection(frozenset("x")))
        ] == [0, 1, 2, 3]
        assert Broker(store)["a"].table("primary", fields=["x"])["x"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "statement",
    [
        flipped("tail", "body", "seq = 2"),
        "DELETE FROM tail WHERE seq = 2",
        "UPDATE tail SET seq = 50 WHERE seq = 2",
        "UPDATE tail SET body = 'text' WHERE seq = 2",
    ],
)
def test_a_damaged_row_of_a_run_in_progress_is_named(damage, path, statement):
    with opened(path) as store:
        insert_all(store, [("descriptor", descriptor("c-third", "c") | {"name": "third"})])
        insert_all(store, [("event", event(number, "c-third")) for number in range(5)])
    damage(statement)
    with opened(path) as store:
        with pytest.raises(StoreDamaged, match=r"Run 'c', stream 'third', row 2"):
            read_rows(store, "event", "c-third")
        for first, stop_at, wanted in ((0, 2, [0, 1]), (3, 5, [3, 4])):
            rows = read_rows(store, "event", "c-third", first, stop_at)
            assert [row["seq_num"] for row in rows] == wanted
        with pytest.raises(StoreDamaged, match="row 2"):
            store.insert("event", event(9, "c-third"))


@pytest.mark.parametrize("sealed", [0, 7, 10**9, "many"])
def test_a_count_of_rows_that_cannot_be_is_found(damage, path, sealed):
    damage("UPDATE series SET sealed = ? WHERE owner = 'a-baseline'", sealed)
    with opened(path) as store:
        with contextlib.suppress(StoreDamaged):
            assert len(read_rows(store, "event", "a-baseline")) == 2000
        with pytest.raises(StoreDamaged, match="Run 'a'"):
            store.insert("event", event(5000, "a-baseline"))


def test_a_run_goes_on_beside_damage(damage, path, monkeypatch):
    monkeypatch.setattr("databroker.stores.sql.blocks._FAN", 2)
    monkeypatch.setattr("databroker.stores.sql.blocks._KEPT", 0)  # else it is mended
    with opened(path) as store:
        store.insert("descriptor", descriptor("d", "c") | {"name": "long"})
        store.insert("event_page", event_page(range(2000), "d"))
        damage("DELETE FROM segments WHERE id = (SELECT max(id) FROM segments)")
        for first in (2000, 4000):
            store.insert("event_page", event_page(range(first, first + 2000), "d"))
        assert len(read_rows(store, "event", "d", 2000)) == 4000
        with pytest.raises(StoreDamaged, match="stream 'long'"):
            read_rows(store, "event", "d", 0, 2000, Selection(frozenset("x"), others=True))


# -- the file ------------------------------------------------------------------


CUT = """
store = SQLiteStore(path)
read_rows(store, "event", "a-baseline")
go()
os.truncate(path, 20000)
for uid in "abc":
    try:
        read_rows(store, "event", f"{uid}-baseline")
    except Exception as error:
        print(type(error).__name__)
"""


def test_a_file_that_is_cut_while_it_is_open_ends_no_interpreter(processes, damage, path):
    (printed,) = processes.run([(CUT, path)])
    assert "StoreDamaged" in printed
    assert set(printed.split()) <= {"StoreDamaged", "StoreUnavailable"}


def test_a_file_from_before_the_checksums_is_refused(damage, path):
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 1")
    with pytest.raises(ForeignStore, match=r"before its first release.*version 1"):
        opened(path)


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_in_rows_never_changes_a_value(damage, path, seed):
    random = Random(seed)
    with opened(path) as store:
        right = {n: read_rows(store, "event", f"{n}-baseline") for n in "abc"}
    content = path.read_bytes()
    for _ in range(20):
        changed = bytearray(content)
        changed[random.randrange(8192, len(content))] ^= 1 << random.randrange(8)
        path.write_bytes(changed)
        with opened(path) as store, warnings.catch_warnings():
            warnings.simplefilter("ignore", DamageWarning)
            for uid, rows in right.items():
                with contextlib.suppress(StoreDamaged):
                    assert read_rows(store, "event", f"{uid}-baseline") == rows
