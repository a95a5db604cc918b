"""What is in files comes in as it is, once, and what cannot come in is told by file and line."""

import gzip
import io
import json
import signal
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings

import databroker
from databroker.broker.importing import import_files
from databroker.documents.files import flowing
from databroker.documents.files.jsonl import JSONLines, loads
from databroker.documents.files.packed import Packed
from databroker.errors import StoreUnavailable
from databroker.export import export
from databroker.packing import pack
from databroker.stores.memory import MemoryStore
from databroker.testing import answers, assert_identical, expected, strategies
from databroker.testing.conformance.base import (
    descriptor,
    event,
    insert_all,
    start,
    stop,
    whole_run,
)
from helpers.interruptible import interruptible

FORMS = ["jsonl", "msgpack", "json"]
RUNS = [*whole_run("a"), *whole_run("b")]


@pytest.fixture
def db():
    with databroker.temp() as db:
        yield db


@pytest.fixture
def exported(tmp_path):
    """Write runs into files of a form; return their folder."""

    def exported(form, documents=RUNS):
        with databroker.temp() as source:
            insert_all(source.store, documents)
            export(source(), tmp_path / form, form, name="{uid}")
        return tmp_path / form

    return exported


def lines(documents):
    return b"".join(JSONLines().encode(*pair) for pair in documents)


def objects(documents):
    return b"".join(Packed().encode(*pair) for pair in documents)


@pytest.mark.parametrize("form", FORMS)
def test_what_was_exported_comes_back_once(db, exported, form):
    folder = exported(form)
    report = import_files(db, [folder])
    assert report, report
    assert sorted(report.new) == ["a", "b"]
    assert_identical(answers(db.store, RUNS), expected(RUNS))
    again = import_files(db, sorted(folder.iterdir()))
    assert (again.new, again.continued, sorted(again.known)) == ([], [], ["a", "b"])
    assert_identical(answers(db.store, RUNS), expected(RUNS))


@pytest.mark.parametrize("form", FORMS)
def test_compressed_files_are_read_as_they_are(db, exported, form):
    folder = exported(form)
    for path in list(folder.iterdir()):
        half = len(data := path.read_bytes()) // 2
        members = gzip.compress(data[:half]) + gzip.compress(data[half:]) + bytes(10)
        path.with_name(f"{path.name}.gz").write_bytes(members)
        path.unlink()
    assert import_files(db, [folder])
    assert_identical(answers(db.store, RUNS), expected(RUNS))


@pytest.mark.parametrize("place", ["pack", "pack.zip"])
def test_packs_are_imported_among_other_files(db, exported, tmp_path, place):
    with databroker.temp() as source:
        insert_all(source.store, whole_run("a"))
        pack(source(), tmp_path / place, files=False)
    report = import_files(db, [tmp_path / place, exported("jsonl") / "b.jsonl"])
    assert sorted(report.new) == ["a", "b"]
    assert_identical(answers(db.store, RUNS), expected(RUNS))
    assert import_files(db, [tmp_path / place]).known == ["a"]


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=strategies.runs())
def test_any_run_comes_back(tmp_path, form, documents):
    path = tmp_path / f"{form}.file"
    encode = Packed() if form == "msgpack" else JSONLines()
    with databroker.temp() as source:
        insert_all(source.store, documents)
        kept = list(source[-1].stored_documents())
    parts = [encode.encode(*pair) for pair in kept]
    data = b"[" + b",\n".join(parts) + b"]" if form == "json" else b"".join(parts)
    path.write_bytes(data)
    store = MemoryStore()
    with databroker.Broker(store) as db:
        assert import_files(db, [path])
        found = list(db[-1].stored_documents())
    if form == "msgpack":
        assert_identical(found, kept)
    else:  # JSON has no arrays
        assert_identical(as_lines(found), as_lines(kept))


def as_lines(documents):
    return [loads(line) for line in lines(documents).splitlines()]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [7, 64, 1000])
def test_pieces_may_end_anywhere(exported, monkeypatch, form, size):
    path = exported(form) / f"a.{form}"
    whole = documents_in(path.read_bytes())
    monkeypatch.setattr(flowing, "_PIECE", size)
    monkeypatch.setattr(flowing, "_BLOCK", 100)
    assert_identical(documents_in(path.read_bytes()), whole)
    assert_identical(documents_in(gzip.compress(path.read_bytes())), whole)
    assert next(kind for kind, _ in whole) == "start"


def documents_in(data):
    found = [each.what for each in flowing.flow(io.BufferedReader(io.BytesIO(data)))]
    return [(what.kind, what.document) for what in found]


def test_a_list_of_documents_whose_keys_tell_what_they_are(db, tmp_path):
    path = tmp_path / "list.json"
    run = [(kind, document) for kind, document in RUNS if not kind.startswith("bulk")]
    plain = [document for _, document in run]
    for text in (json.dumps(plain), json.dumps(plain, indent=2), "\n".join(map(json.dumps, plain))):
        path.write_text(text)
        assert [kind for kind, _ in documents_in(path.read_bytes())] == [kind for kind, _ in run]
    assert import_files(db, [path])
    assert_identical(answers(db.store, run), expected(run))


def test_a_document_that_tells_nothing_is_refused_and_the_others_are_not(db, tmp_path):
    path = tmp_path / "list.json"
    path.write_text('[{"uid": "a", "time": 1.0, "sample": "é"}, {"uid": "x"}, 5, ["stat", {}]]')
    report = import_files(db, [path])
    assert report.new == ["a"]
    assert db["a"].start["sample"] == "é"
    assert [refusal.place for refusal in report.refused] == [f"document {n}" for n in (2, 3, 4)]
    assert "of what kind" in report.refused[0].why


DAMAGED = {
    "a line": (lines(RUNS[:1]) + b"nonsense\n" + lines(RUNS[1:]), "line 2", RUNS),
    "the last line": (lines(RUNS)[:-9], f"line {len(RUNS)}", RUNS[:-1]),
    "msgpack": (objects(RUNS[:4]) + b"\xc1" + objects(RUNS[4:]), "document 5", RUNS[:4]),
    "half of msgpack": (objects(RUNS)[:-9], f"document {len(RUNS)}", RUNS[:-1]),
    "JSON": (b"[" + lines(RUNS[:1]) + b"," + b'["start" {}]]', "document 2", RUNS[:1]),
    "half of JSON": (b"[" + lines(RUNS[:1]) + b",", "document 2", RUNS[:1]),
    "bytes": (b'[["start", {"uid": "\xff"}]]', "document 1", []),
    "a zip": (gzip.compress(lines(RUNS))[:-4], f"line {len(RUNS) + 1}", RUNS),
    "the checksum": (
        (lambda data: data[:-8] + b"0000" + data[-4:])(gzip.compress(lines(RUNS))),
        "document 1",
        [],
    ),
    "what is neither": (b"hello", "document 1", []),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_damaged_is_told_and_the_rest_is_there(db, tmp_path, what):
    data, place, left = DAMAGED[what]
    path = tmp_path / "runs"
    path.write_bytes(data)
    (tmp_path / "good.jsonl").write_bytes(lines([("start", start("good"))]))
    report = import_files(db, [path, tmp_path / "good.jsonl"])
    assert not report
    assert report.refused[0].file == str(path)
    assert report.refused[0].place.startswith(place)
    assert "good" in report.new
    left = [*left, ("start", start("good"))]
    assert_identical(answers(db.store, left), expected(left))


def test_an_empty_file_is_one_without_documents(db, tmp_path):
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "list.json").write_text("[]")
    report = import_files(db, [tmp_path])
    assert (bool(report), report.files, report.new) == (True, 2, [])


def test_a_run_that_differs_is_refused_with_all_that_belongs_to_it(db, tmp_path):
    db.insert(*RUNS[0])
    other = [("start", {**start("a"), "sample": "another"}), *whole_run("a")[1:]]
    path = tmp_path / "runs.jsonl"
    path.write_bytes(lines([*other, *whole_run("b")]))
    report = import_files(db, [path])
    assert report.new == ["b"]
    (refusal,) = report.refused
    assert refusal.place == "line 1"
    assert "already stored with other content" in refusal.why
    assert report.left_out == len(other) - 1
    assert list(db["a"].documents()) == [("start", db["a"].start)]
    assert f"{len(other) - 1} more, of those, left out" in repr(report)


def test_of_many_documents_the_refused_one_is_told(db, tmp_path):
    events = [("event", event(n, "a-d")) for n in range(1, 3000)]
    events[1500] = ("event", {**events[1500][1], "descriptor": "nobody's"})
    run = [("start", start("a")), ("descriptor", descriptor("a-d", "a")), *events]
    (tmp_path / "runs.jsonl").write_bytes(lines(run))
    report = import_files(db, [tmp_path])
    assert [refusal.place for refusal in report.refused] == ["line 1503"]
    assert db["a"].streams["primary"].num_events == len(events) - 1


def test_a_run_goes_on(db, tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_bytes(lines(RUNS[:4]))
    assert import_files(db, [path]).new == ["a"]
    path.write_bytes(lines(RUNS))
    report = import_files(db, [path])
    assert (report.new, report.continued, report.known) == (["b"], ["a"], [])
    path.write_bytes(lines([("stop", stop("a"))]))
    assert import_files(db, [path]).known == ["a"]


def test_rows_that_are_there_are_not_sent_again(db, tmp_path, monkeypatch):
    run = [(kind, doc) for kind, doc in whole_run("a") if kind in ("start", "descriptor", "event")]
    path = tmp_path / "runs.jsonl"
    path.write_bytes(lines(run))
    import_files(db, [path])
    other = ("event", {**run[-1][1], "seq_num": 99})
    path.write_bytes(lines([*run, ("event", event(77, "a-desc")), other]))
    sent = []
    kept = db.store.insert_many
    monkeypatch.setattr(
        db.store, "insert_many", lambda pairs: kept(sent.append(pair) or pair for pair in pairs)
    )
    report = import_files(db, [path])
    assert report.continued == ["a"]
    assert report.refused[0].place == f"line {len(run) + 2}"
    assert {doc["seq_num"] for kind, doc in sent if kind == "event"} == {77, 99}
    assert report.rows == sum(kind == "event" for kind, _ in run) + 1


def test_what_is_no_file_of_documents_says_so(db, tmp_path):
    with pytest.raises(StoreUnavailable, match="nothing at"):
        import_files(db, [tmp_path / "nothing.jsonl"])
    (tmp_path / "empty").mkdir()
    report = import_files(db, [tmp_path / "empty"])
    assert "no files of documents" in report.refused[0].why
    (tmp_path / "catalog.yml").write_text("sources: {}")
    assert import_files(db, [tmp_path]).refused[0].file == str(tmp_path)


def test_progress_tells_how_much_is_left(db, exported, monkeypatch):
    monkeypatch.setattr("databroker.broker.moving.progress._PAUSE", 0)
    monkeypatch.setattr("databroker.broker.moving.bringing_in._DOCUMENTS", 10)
    seen = []
    import_files(db, [exported("jsonl")], progress=seen.append)
    assert (seen[-1].runs, seen[-1].left) == (2, 0.0)
    assert any(progress.left for progress in seen)


def test_small_files_are_saved_together(db, exported, monkeypatch):
    """A commit a file would wait for the disk as often as there are files."""
    calls = []
    insert_many = db.store.insert_many
    monkeypatch.setattr(db.store, "insert_many", lambda some: calls.append(insert_many(some)))
    report = import_files(db, [exported("jsonl")])
    assert (report.files, len(report.new), len(calls)) == (2, 2, 1)


def test_refusals_do_not_fill_the_memory(db, tmp_path):
    (tmp_path / "runs.jsonl").write_bytes(lines(RUNS[:1]) + b"?\n" * 3000)
    report = import_files(db, [tmp_path])
    assert (report.refusals, len(report.refused)) == (3000, 1000)
    assert "2,980 more" in repr(report)


COMMAND = [sys.executable, "-m", "databroker"]


def test_the_command_reads_a_pipe_and_goes_on_after_an_interrupt(tmp_path):
    target = tmp_path / "home.db"
    with databroker.Broker.from_config({"driver": "sqlite", "path": str(target)}):
        pass
    command = [*COMMAND, "import", "-b", str(target), "-"]
    piped = interruptible(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    piped.stdin.write(lines([("start", {**start("a"), "notes": "n" * 500_000})]))
    piped.stdin.flush()  # a pipe holds less than that: so the command is reading by now
    piped.send_signal(signal.SIGINT)
    said = piped.communicate()[1]
    assert (piped.returncode, said.splitlines()[-1]) == (130, b"databroker: interrupted")
    done = subprocess.run(command, input=lines(RUNS) + b"?\n", capture_output=True, check=False)
    assert (done.returncode, done.stderr.count(b"Traceback")) == (1, 0)
    assert done.stdout.startswith(b"2 runs new: ")
    assert f"standard input, line {len(RUNS) + 1}: ".encode() in done.stdout
