"""Runs are copied exactly, again at the cost of a look, and on after whatever broke a copy off."""

import contextlib
import itertools
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import databroker
from databroker import Broker
from databroker.broker.moving.copying import Copying
from databroker.columns import from_page
from databroker.errors import (
    ConflictingDocument,
    StoreAway,
    StoreDamaged,
    StoreIsReadOnly,
    StoreUnavailable,
    UnknownBrokerName,
)
from databroker.stores.base import Store
from databroker.stores.memory import MemoryStore
from databroker.stores.sql.engine.postgresql.connection import _portions
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import (
    descriptor,
    event,
    event_page,
    insert_all,
    start,
    stop,
    whole_run,
)
from databroker.testing.reference import read_rows

DRIVERS = ("memory", "sqlite", "postgresql")


ROWS = 1000  # of a long run


@pytest.fixture(autouse=True)
def few_are_small(monkeypatch):
    """Let a thousand rows be too many to be read with all the rest."""
    monkeypatch.setattr("databroker.stores.sql.stored_runs._SMALL", 20_000)


def long_run(uid="long"):
    """A run that is sent by itself."""
    opening = [("start", start(uid)), ("descriptor", descriptor(f"{uid}-d", uid))]
    numbers = range(0, ROWS, 250)
    pages = [("event_page", event_page(range(n, n + 250), f"{uid}-d")) for n in numbers]
    return [*opening, *pages, ("stop", stop(uid))]


def several():
    """Runs of each kind: small, long, running, one without anything, and of one time."""
    unfinished = whole_run("running")[:-1]
    return [*whole_run("a"), *long_run(), *unfinished, ("start", start("bare")), *whole_run("b")]


def copied(source, target, **options):
    report = databroker.copy(source, target, **options)
    assert report, report
    return report


def outcomes(report):
    return {run.uid: run.outcome for run in report.runs}


@pytest.mark.parametrize(
    ("one", "other"), [pair for pair in itertools.product(DRIVERS, DRIVERS) if pair[0] != "memory"]
)
def test_all_runs_arrive_as_they_are_stored(open_new, one, other):
    source, target = open_new(one), open_new(other)
    insert_all(source, several())
    report = copied(source, target)
    assert_identical(answers(target, several()), expected(several()))
    assert len(report.copied) == 5
    assert report.rows == 3 * 12 + ROWS
    back = copied(target, open_new("memory"))
    assert [run.digest for run in back.runs] == [run.digest for run in report.runs]
    assert len({run.digest for run in report.runs}) == 5


def test_runs_that_are_there_are_known_by_a_look(open_new, monkeypatch):
    source, target = open_new("sqlite"), open_new("sqlite")
    insert_all(source, several())
    copied(source, target)
    monkeypatch.setattr(type(source), "read", None)
    monkeypatch.setattr(type(target), "put", None)
    monkeypatch.setattr(type(target), "put_many", None)
    assert set(outcomes(copied(source, target)).values()) == {"there"}


class Interrupted(BaseException):
    """Not an error that anybody could take for one of theirs."""


@pytest.mark.parametrize("name", ["put", "put_many", "put_batch"])
@pytest.mark.parametrize("driver", ["memory", "sqlite"])
def test_a_copy_that_was_broken_off_goes_on(open_new, monkeypatch, driver, name):
    source, target = open_new("sqlite"), open_new(driver)
    insert_all(source, several())
    kept = getattr(type(target), name)
    for most in range(30):
        calls = itertools.count()

        def put(*arguments, most=most, calls=calls):
            if next(calls) == most:
                raise Interrupted
            kept(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(type(target), name, put)
            try:
                databroker.copy(source, target)
            except Interrupted:
                continue
        break
    copied(source, target)
    assert_identical(answers(target, several()), expected(several()))


def test_a_run_that_has_grown_is_continued(open_new):
    source, target = open_new("sqlite"), open_new("sqlite")
    documents = long_run()
    insert_all(source, documents[:4])
    copied(source, target)
    insert_all(source, documents[4:])
    assert outcomes(copied(source, target)) == {"long": "continued"}
    assert_identical(answers(target, documents), expected(documents))
    late = ("event", event(9000, "long-d"))  # after the stop
    insert_all(source, [late])
    assert outcomes(copied(source, target)) == {"long": "continued"}
    assert_identical(answers(target, [*documents, late]), expected([*documents, late]))
    assert outcomes(copied(source, target)) == {"long": "there"}


def test_rows_that_are_there_in_another_order_are_not_doubled(open_new):
    source, target = open_new("sqlite"), open_new("sqlite")
    documents = long_run()
    insert_all(source, documents)
    insert_all(target, [*documents[:2], documents[4], documents[3]])
    report = copied(source, target)
    assert outcomes(report) == {"long": "continued"}
    assert sum(each.rows for each in target.extents("event", "long-d")) == ROWS


def test_a_target_that_has_more_is_left_alone(open_new):
    source, target = open_new("sqlite"), open_new("sqlite")
    insert_all(target, long_run())
    insert_all(source, long_run()[:3])
    assert outcomes(copied(source, target)) == {"long": "there"}
    insert_all(source, [("descriptor", descriptor("second", "long"))])
    assert outcomes(copied(source, target)) == {"long": "continued"}


CONFLICTS = {
    "start": [("start", start("b", sample="another"))],
    "stop": [*whole_run("b")[:-1], ("stop", stop("b", exit_status="fail"))],
    "descriptor": [("start", whole_run("b")[0][1]), ("descriptor", descriptor("b-desc", "b", "y"))],
    "event": [*whole_run("b")[:2], ("event", event(1, "b-desc", x=99.0))],
}


@pytest.mark.parametrize("kind", CONFLICTS)
@pytest.mark.parametrize("verify", [True, False])
def test_a_run_that_differs_is_named_and_the_others_go(open_new, kind, verify):
    source, target = open_new("sqlite"), open_new("sqlite")
    insert_all(source, several())
    insert_all(target, CONFLICTS[kind])
    report = databroker.copy(source, target, verify=verify)
    assert not report
    assert {run.uid for run in report.copied} == {"a", "long", "running", "bare"}
    (failed,) = report.failed
    assert failed.uid == "b"
    assert f"{kind} document" in failed.problem
    assert (
        "already stored with other content" in failed.problem or "ended already" in failed.problem
    )
    assert f"'b': {failed.problem}" in repr(report)


def test_an_event_of_a_long_run_that_differs_is_found(open_new):
    source, target = open_new("sqlite"), open_new("sqlite")
    insert_all(source, long_run())
    insert_all(target, [*long_run()[:2], ("event", event(7, "long-d", x=99.0))])
    (failed,) = databroker.copy(source, target).failed
    assert "the event 'long-d-7' differs" in failed.problem


def test_what_is_not_kept_as_it_was_sent_is_found(open_new, monkeypatch):
    source, target = open_new("sqlite"), open_new("memory")
    insert_all(source, several())
    put = MemoryStore.put
    forgetful = lambda store, kind, doc: kind == "event" or put(store, kind, doc)  # noqa: E731
    monkeypatch.setattr(MemoryStore, "put", forgetful)
    report = databroker.copy(source, target)
    assert {run.uid for run in report.failed} == {"a", "b", "running", "long"}
    assert "is not what was sent: the event" in report.failed[0].problem
    assert len(databroker.copy(source, open_new("memory"), verify=False).failed) == 0


def test_a_run_that_cannot_be_read_is_named_and_the_others_go(open_new, monkeypatch):
    source, target = open_new("memory"), open_new("memory")
    insert_all(source, several())
    documents = MemoryStore.documents

    def damaged(store, uid, *kinds):
        if uid == "long" and store is source:
            raise StoreDamaged("a segment is missing")
        return documents(store, uid, *kinds)

    monkeypatch.setattr(MemoryStore, "documents", damaged)
    report = databroker.copy(source, target)
    assert [(run.uid, run.problem) for run in report.failed] == [("long", "a segment is missing")]
    assert len(report.copied) == 4


def change(store, statement):
    """Change a file behind the back of its store."""
    with contextlib.closing(sqlite3.connect(store.path)) as raw:
        raw.execute(statement)
        raw.commit()


DAMAGE = {
    "a segment": "UPDATE segments SET data = zeroblob(length(data)) WHERE id IN "
    "(SELECT id FROM segments ORDER BY length(data) DESC LIMIT 1)",
    "a descriptor": "DELETE FROM documents WHERE uid = 'long-d'",
    "a start": "UPDATE runs SET start = zeroblob(50) WHERE uid = 'long'",
    "a stop": "UPDATE runs SET stop = zeroblob(50) WHERE uid = 'long'",
}


@pytest.mark.filterwarnings("ignore::databroker.errors.DamageWarning")
@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_run_is_named_and_the_others_go(open_new, what):
    source, target = open_new("sqlite"), open_new("sqlite")
    insert_all(source, several())
    change(source, DAMAGE[what])
    report = databroker.copy(source, target)
    (failed,) = report.failed
    assert failed.uid == "long"
    assert "damaged" in failed.problem or "not as it was written" in failed.problem
    assert len(report.copied) == 4


def test_what_is_damaged_as_it_is_written_is_found(open_new, monkeypatch):
    source, target = open_new("sqlite"), open_new("sqlite")
    insert_all(source, several())
    put_batch = type(target).put_batch

    def put(store, *batch):
        put_batch(store, *batch)
        change(store, DAMAGE["a segment"])

    monkeypatch.setattr(type(target), "put_batch", put)
    report = databroker.copy(source, target)
    assert [run.uid for run in report.failed] == ["long"]
    assert "not as it was written" in report.failed[0].problem


def test_a_store_that_goes_away_ends_the_copy(open_new, monkeypatch):
    source, target = open_new("memory"), open_new("memory")
    insert_all(source, several())

    def gone(*_):
        raise StoreUnavailable("The server is gone.")

    monkeypatch.setattr(MemoryStore, "put", gone)
    with pytest.raises(StoreUnavailable, match="The server is gone"):
        databroker.copy(source, target)


class Listing(MemoryStore):
    """Keeps lists for arrays, as stores do whose files others must be able to read."""

    def put(self, kind, doc):
        if kind == "event":
            doc = doc | {
                "data": {key: np.asarray(value).tolist() for key, value in doc["data"].items()}
            }
        super().put(kind, doc)


def test_a_store_of_lists_is_no_worse(open_new):
    source, target = open_new("sqlite"), Listing()
    arrays = [("event", event(number, x=np.arange(3))) for number in range(3)]
    insert_all(source, [("start", start()), ("descriptor", descriptor()), *arrays])
    copied(source, target)
    back = open_new("sqlite")
    one, other = copied(target, back), copied(source, target)
    assert outcomes(one) == {"run": "copied"}
    assert outcomes(other) == {"run": "there"}
    assert outcomes(copied(target, source)) == {"run": "there"}


# -- which runs, from where, to where ----------------------------------------


def test_words_and_queries_say_which_runs(open_new):
    source = open_new("memory")
    for uid, time in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        insert_all(source, [("start", start(uid, time, sample="Ni" if uid < "c" else "Cu"))])
    for query in ("Ni", {"sample": "Ni"}, databroker.queries.Key("sample") == "Ni"):
        assert list(outcomes(copied(source, open_new("memory"), query=query))) == ["a", "b"]
    db = Broker(source)
    db.add_filter(sample="Cu")
    assert list(outcomes(copied(db, open_new("memory")))) == ["c"]


@pytest.mark.parametrize("path", ["new/", "new.jsonl", "new.msgpack", "new.zip"])
def test_what_no_new_file_can_be_is_no_target(empty_home, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreUnavailable, match=r"Nothing can be copied into .*new"):
        databroker.copy({"driver": "memory"}, path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    ["mongodb://127.0.0.1:1/runs?serverSelectionTimeoutMS=100", "postgresql://127.0.0.1:1/runs"],
)
def test_addresses_of_servers_are_understood(address):
    with pytest.raises(StoreAway, match="cannot be reached"):
        databroker.copy(address, {"driver": "memory"})


def test_names_paths_and_mappings_are_opened_and_closed(empty_home, tmp_path):
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    (folder / "lab.yml").write_text(f"driver: sqlite\npath: {tmp_path}/lab.db\n")
    with Broker.named("lab") as db:
        insert_all(db.store, whole_run())
    copied("lab", str(tmp_path / "one.db"))
    copied(tmp_path / "one.db", {"driver": "sqlite", "path": str(tmp_path / "two")})
    assert outcomes(copied("lab", tmp_path / "two")) == {"run": "there"}
    assert {path.name for path in tmp_path.iterdir()} >= {"lab.db", "one.db", "two"}
    assert not list(tmp_path.glob("*-wal"))
    with pytest.raises(UnknownBrokerName):
        databroker.copy("nowhere", "lab")
    with pytest.raises(StoreUnavailable, match=r"no file .*nothing\.db to copy runs from"):
        databroker.copy("nothing.db", "lab")
    with pytest.raises(TypeError, match="and not 5"):
        databroker.copy(5, "lab")
    read_only = {"driver": "sqlite", "path": str(tmp_path / "lab.db"), "read_only": True}
    assert outcomes(copied(tmp_path / "one.db", read_only)) == {"run": "there"}
    elsewhere = MemoryStore()
    insert_all(elsewhere, whole_run("elsewhere"))
    with pytest.raises(StoreIsReadOnly):
        databroker.copy(elsewhere, read_only)


def test_a_database_that_is_copied_from_is_not_written_to(postgresql):
    with pytest.raises(StoreUnavailable, match="read-only"):
        databroker.copy(postgresql, MemoryStore())


def test_two_copies_at_once_double_nothing(open_new):
    source, target = open_new("sqlite"), open_new("sqlite")
    insert_all(source, several())
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: databroker.copy(source, target), range(2)))
    assert all(reports), reports
    assert_identical(answers(target, several()), expected(several()))


def test_runs_of_one_time_keep_their_order(open_new):
    source, target = open_new("memory"), open_new("sqlite")
    insert_all(source, [("start", start(uid)) for uid in "cab"])
    copied(source, target)
    assert [run.uid for run in Broker(target)()] == ["b", "a", "c"]


# -- progress ----------------------------------------------------------------


def test_progress_counts_what_is_sent(open_new, monkeypatch):
    monkeypatch.setattr("databroker.broker.moving.progress._PAUSE", 0)
    source, target = open_new("sqlite"), open_new("sqlite")
    insert_all(source, several())
    seen = []
    report = copied(source, target, progress=seen.append)
    assert (seen[-1].runs, seen[-1].of, seen[-1].rows) == (5, 5, report.rows)
    assert seen[-1].left == 0
    assert seen[-1].bytes == report.bytes > ROWS * 40
    for one, other in itertools.pairwise(seen):
        assert one.runs <= other.runs
        assert one.rows <= other.rows


def test_documents_from_elsewhere_are_inserted_many_at_once():
    db, seen = databroker.temp(), []
    db.insert_many(iter(several()), progress=seen.append)
    assert_identical(answers(db.store, several()), expected(several()))
    assert (seen[-1].runs, seen[-1].of, seen[-1].rows) == (5, None, 3 * 12 + ROWS)
    db.insert_many(several())
    assert_identical(answers(db.store, several()), expected(several()))


def test_a_store_with_nothing_but_the_defaults_can_be_both(open_new):
    class Plain(MemoryStore):
        outlines, read_runs = Store.outlines, Store.read_runs
        put_many, put_batch = Store.put_many, Store.put_batch

    source, target = Plain(), Plain()
    insert_all(source, several())
    assert Copying(source, target).all(["a", "long", "nobody"]).ok
    assert target.count(databroker.queries.Everything()) == 2


COPY = """
import sys, databroker
from databroker.broker.moving import progress
progress._PAUSE = 0
databroker.copy(sys.argv[1], sys.argv[2], progress=lambda now: print(now.rows, flush=True))
"""


def test_a_copy_that_was_killed_goes_on(open_new):
    source, target = open_new("sqlite"), open_new("sqlite")
    documents = [*several(), *long_run("second"), *whole_run("last")]
    insert_all(source, documents)
    for reports in (1, 6, 9):
        command = [sys.executable, "-c", COPY, source.path, target.path]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            for _ in range(reports):
                process.stdout.readline()
            process.kill()
    copied(source, target)
    assert_identical(answers(target, documents), expected(documents))


@pytest.mark.parametrize("kind", ["event_page", "batch"])
def test_rows_that_come_again_are_looked_up_together(open_new, monkeypatch, kind):
    store, page = open_new("sqlite"), event_page(range(2, 3000), "long-d")
    insert_all(store, long_run()[:3])
    monkeypatch.setattr("databroker.stores.sql.series.find_row", None)
    for _ in range(2):
        if kind == "batch":
            store.insert_batches("event", "long-d", [from_page("event", page)])
        else:
            store.insert("event_page", page)
    wanted = [event(number, "long-d") for number in range(3000)]
    assert_identical(read_rows(store, "event", "long-d"), wanted)
    page["data"]["x"][2000] = 99.0
    with pytest.raises(ConflictingDocument, match="'long-d-2002'"):
        store.insert("event_page", page)


def test_large_rows_are_sent_to_a_server_a_few_at_a_time():
    """A message of a GiB ends the session."""
    rows = {size: [(bytes(size),)] * 5 for size in (10, 2**23, 2**25)}
    sent = {size: [len(some) for some in _portions(rows[size])] for size in rows}
    assert sent == {10: [5], 2**23: [2, 2, 1], 2**25: [1] * 5}
    assert [len(some) for some in _portions([(1,)] * 2000)] == [900, 900, 200]
