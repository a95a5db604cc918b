"""An index keeps up with its files, whatever happens to them; what is damaged spoils little."""

import gc
import gzip
import json
import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import weakref
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import databroker
from databroker import Broker
from databroker._util.polling import wait_until
from databroker.columns import Selection
from databroker.documents.kinds import ROWS
from databroker.errors import (
    DamageWarning,
    InvalidConfiguration,
    NoSuchRun,
    StoreIsReadOnly,
    StoreUnavailable,
)
from databroker.query.nodes import Equals, Everything, Path, TimeBounds
from databroker.stores.files import JSONLStore, MsgpackStore, findings, following, watching, writing
from databroker.stores.files.rows import RowCache
from databroker.stores.files.telling import FaultNotices
from databroker.stores.sql.engine.statements.files import any_unsearchable
from databroker.stores.sql.file_index import FileIndex
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import (
    datum,
    descriptor,
    event,
    event_page,
    insert_all,
    quick,
    resource,
    start,
    stop,
    whole_run,
)
from databroker.testing.reference import read_rows

STORES = [JSONLStore, MsgpackStore]
SAMPLE = Equals(Path("sample"), "Ni")


@pytest.fixture(params=STORES, ids=lambda store: store.format.name)
def cls(request):
    return request.param


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "runs"
    path.mkdir()
    return path


@pytest.fixture
def store(cls, folder):
    with closing(cls(folder)) as store:
        yield store


@pytest.fixture
def lines(folder):
    with closing(JSONLStore(folder)) as store:
        yield store


def encoded(cls, documents):
    return b"".join(cls.format.encode(*pair) for pair in documents)


def write(cls, folder, name, documents):
    path = folder / f"{name}{cls.format.suffix}"
    path.write_bytes(encoded(cls, documents))
    return path


def few(uid, **metadata):
    """A run whose events are only in its file."""
    owner = f"{uid}-desc"
    documents = [("start", start(uid, **metadata)), ("descriptor", descriptor(owner, uid))]
    documents += [("event", event(number, owner)) for number in range(3)]
    return [*documents, ("stop", stop(uid))]


def uids(store, query=None):
    return sorted(run.uid for run in store.find(Everything() if query is None else query))


def seen_at_once(monkeypatch):
    """Let every look be one at all files."""
    monkeypatch.setattr(watching, "_AT_LEAST", 0)
    monkeypatch.setattr(watching, "_SHARE", 0)


# -- files that come, grow and go ------------------------------------------------------


def test_files_of_others_are_found_as_they_come(cls, folder, store):
    assert uids(store) == []
    for number in range(5):
        write(cls, folder, f"any name {number}", few(f"{number}", sample="Ni" if number else "Cu"))
        assert len(uids(store)) == number + 1
    assert uids(store, SAMPLE) == ["1", "2", "3", "4"]
    rows = read_rows(store, "event", "3-desc")
    assert_identical(rows, [event(number, "3-desc") for number in range(3)])


def test_a_growing_file_is_read_document_by_document(cls, folder, store):
    path, documents = folder / f"a{cls.format.suffix}", whole_run("a")
    with path.open("ab", buffering=0) as file:
        for number, (kind, doc) in enumerate(documents):
            data = cls.format.encode(kind, doc)
            file.write(data[:5])
            assert_identical(answers(store, documents), expected(documents[:number]))
            file.write(data[5:])
            assert_identical(answers(store, documents), expected(documents[: number + 1]))


def test_a_growing_file_is_read_from_where_it_was_read_to(lines, folder, monkeypatch):
    path = write(JSONLStore, folder, "a", few("a")[:-1])
    assert len(read_rows(lines, "event", "a-desc")) == 3
    seen = []
    parse = type(JSONLStore.format).parse
    monkeypatch.setattr(
        type(JSONLStore.format),
        "parse",
        lambda self, data, *more: seen.append(len(data)) or parse(self, data, *more),
    )
    line = encoded(JSONLStore, [("event", event(7, "a-desc"))])
    with path.open("ab") as file:
        file.write(line)
    assert len(read_rows(lines, "event", "a-desc")) == 4
    assert seen == [len(line)] * 2  # by the index, and by who has the rows


@pytest.mark.parametrize(("files", "size"), [(2, 2**28), (5_000, 1)])
def test_files_are_taken_in_group_by_group(cls, folder, monkeypatch, files, size):
    monkeypatch.setattr(following, "_AT_ONCE", files)
    monkeypatch.setattr(following, "_BYTES_AT_ONCE", size)
    for number in range(7):
        write(cls, folder, f"{number}", few(f"{number}"))
    with closing(cls(folder, index=False)) as store:
        assert uids(store) == list("0123456")


def test_a_group_that_cannot_be_stored_is_taken_in_later(cls, folder, store, monkeypatch):
    seen_at_once(monkeypatch)
    monkeypatch.setattr(following, "_AT_ONCE", 2)
    take_in = FileIndex.take_in

    def fail_at_one(index, news, gone=()):
        if any("4" in os.path.basename(each.state.path) for each in news):
            raise StoreUnavailable("The disk is full.")
        return take_in(index, news, gone)

    for number in range(7):
        write(cls, folder, f"{number}", few(f"{number}"))
    with monkeypatch.context() as patch:
        patch.setattr(FileIndex, "take_in", fail_at_one)
        with pytest.raises(StoreUnavailable, match="disk is full"):
            uids(store)
    assert uids(store) == list("0123456")


def test_an_index_that_is_fresh_reads_no_file(cls, folder, monkeypatch):
    for name in "abc":
        write(cls, folder, name, few(name))
    with closing(cls(folder)) as store:
        assert uids(store) == ["a", "b", "c"]
    monkeypatch.setattr(type(cls.format), "parse", lambda *_: pytest.fail("a file was read"))
    with closing(cls(folder)) as store:
        assert uids(store, Equals(Path("uid"), "b")) == ["b"]


def test_a_file_that_is_gone_takes_its_run_along(cls, folder, store):
    for name in "ab":
        write(cls, folder, name, few(name, sample="Ni"))
    assert uids(store, SAMPLE) == ["a", "b"]
    (folder / f"a{cls.format.suffix}").unlink()
    assert uids(store, SAMPLE) == uids(store) == ["b"]
    assert store.record("a") is None
    assert list(store.documents("a")) == []
    assert store.extents("event", "a-desc") == []


def test_a_file_that_was_written_again_has_what_it_says_now(cls, folder, store, monkeypatch):
    seen_at_once(monkeypatch)
    for name in "ab":
        write(cls, folder, name, few(name, sample="Cu"))
    assert uids(store, SAMPLE) == []
    for sample, n in (("Ni", 2), ("Ni3", 3), ("Ni", 1)):  # as large, larger, smaller
        write(cls, folder, "a", few("a", sample=sample, n=n))
        assert store.record("a").start["n"] == n
        assert uids(store, Equals(Path("sample"), sample)) == ["a"]
    assert uids(store) == ["a", "b"]


def test_two_files_with_one_run_are_one_run(cls, folder, store):
    write(cls, folder, "a", few("a"))
    write(cls, folder, "copy", few("a"))
    assert uids(store) == ["a"]
    assert len(read_rows(store, "event", "a-desc")) == 3
    (folder / f"a{cls.format.suffix}").unlink()
    assert uids(store) == ["a"]
    assert len(read_rows(store, "event", "a-desc")) == 3
    (folder / f"copy{cls.format.suffix}").unlink()
    assert uids(store) == []


@pytest.mark.parametrize("older", ["part", "whole"])
def test_of_two_files_with_one_run_that_with_its_stop_is_read(cls, folder, store, older):
    write(cls, folder, "whole", few("a"))
    write(cls, folder, "part", few("a")[:3])
    os.utime(folder / f"{older}{cls.format.suffix}", (1e9, 1e9))
    assert len(read_rows(store, "event", "a-desc")) == 3
    (finding,) = store.check().findings
    assert re.search(r"part\..*: its rows are not read: .*whole\.", finding.text)


@pytest.mark.parametrize("files", [1, 5_000])
def test_a_run_of_two_files_is_kept_when_both_change(cls, folder, store, monkeypatch, files):
    seen_at_once(monkeypatch)
    monkeypatch.setattr(following, "_AT_ONCE", files)
    first = write(cls, folder, "first", few("a")[:-1])
    second = write(cls, folder, "second", few("a")[:-1])
    os.utime(first, (1e9, 1e9))
    assert uids(store) == ["a"]
    first.write_bytes(encoded(cls, few("b", sample="another")))
    os.utime(first, (1e9 + 1, 1e9 + 1))  # so that it comes first again
    with second.open("ab") as file:
        file.write(encoded(cls, [("event", event(3, "a-desc")), ("stop", stop("a"))]))
    assert uids(store) == ["a", "b"]
    assert store.record("a").stop == stop("a")
    assert len(read_rows(store, "event", "a-desc")) == 4


def test_what_is_deep_in_the_past_is_seen_within_a_second(lines, folder):
    old = time.time() - 10_000
    for number in range(40):
        path = write(JSONLStore, folder, f"{number:02}", few(f"{number:02}"))
        os.utime(path, (old + number, old + number))
    os.utime(folder, (old, old))
    assert len(uids(lines)) == 40
    with (folder / "00.jsonl").open("ab") as file:
        file.write(encoded(JSONLStore, [("event", event(9, "00-desc"))]))
    assert len(read_rows(lines, "event", "00-desc")) == 4  # whoever asks for it sees it
    with (folder / "01.jsonl").open("ab") as file:
        file.write(encoded(JSONLStore, [("descriptor", descriptor("late", "01"))]))
    time.sleep(1.1)
    assert len(list(lines.documents("01"))) == 2


# -- patterns and compressed files --------------------------------------------------------


def test_patterns_files_and_folders_are_understood(cls, tmp_path):
    for number in range(4):
        (tmp_path / f"{number}").mkdir()
        write(cls, tmp_path / f"{number}", f"run{number}", few(f"{number}"))
    suffix = cls.format.suffix
    for paths, wanted in [
        (tmp_path / "0", "0"),
        ([tmp_path / "0", str(tmp_path / "2" / f"run2{suffix}")], "02"),
        (tmp_path / "*" / f"*{suffix}", "0123"),
        (tmp_path / "[12]" / f"run?{suffix}", "12"),
        (f"{tmp_path}/**/run3{suffix}", "3"),
        (tmp_path / "none" / "*", ""),
    ]:
        with closing(cls(paths)) as store:
            assert uids(store) == list(wanted)
            assert f"{store}".startswith(cls.format.name)


SHUT = {"*/*.jsonl": 0o100, "*/01.jsonl": 0o400, "**/01.jsonl": 0, "**": 0, "*/[0]?.jsonl": 0}
"""What may be done in a folder, too little for a pattern."""

LOOK = """
import json, os, sys, warnings
from databroker.query.nodes import Everything
from databroker.stores.files import JSONLStore

def look(pattern):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        store = JSONLStore(pattern, index=False)
        runs = []
        for _ in range(2):
            store._follower._watch._next_look = 0.0
            runs.append([run.uid for run in store.find(Everything())])
        store.close()
    return runs, [[each.category.__name__, str(each.message)] for each in said]

look(sys.argv[1])  # all that is needed is imported
if os.geteuid() == 0:  # who may read everything
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(json.dumps([look(pattern) for pattern in sys.argv[1:]]))
"""


def test_a_folder_that_may_not_be_read_is_named_once():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        for number, mode in enumerate(SHUT.values()):
            for each in ("open", "shut"):
                (folder / f"{number}" / each).mkdir(parents=True)
                write(JSONLStore, folder / f"{number}" / each, "01", few(each))
            (folder / f"{number}" / "shut").chmod(mode)
        patterns = [f"{folder}/{number}/{pattern}" for number, pattern in enumerate(SHUT)]
        try:
            done = subprocess.run(
                [sys.executable, "-c", LOOK, *patterns],
                env={
                    **os.environ,
                    "PYTHONPATH": str(pathlib.Path(databroker.__file__).parents[1]),
                    "TMPDIR": name,
                },
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            for each in folder.glob("*/shut"):
                each.chmod(0o755)
    for number, (runs, said) in enumerate(json.loads(done.stdout)):
        assert runs == [["open"], ["open"]]
        ((category, text),) = said
        assert category == "DamageWarning"
        assert f"may not be read is left out: {folder}/{number}/shut. " in text


def test_home_is_a_tilde(cls, empty_home):
    (empty_home / "runs").mkdir()
    write(cls, empty_home / "runs", "a", few("a"))
    with closing(cls("~/runs")) as store:
        assert uids(store) == ["a"]


def test_compressed_files_are_read_and_not_written(cls, folder, store):
    path = folder / f"a{cls.format.suffix}.gz"
    path.write_bytes(gzip.compress(encoded(cls, few("a"))))
    assert uids(store) == ["a"]
    assert len(read_rows(store, "event", "a-desc")) == 3
    with pytest.raises(StoreIsReadOnly, match="compressed"):
        store.insert("event", event(9, "a-desc"))
    path.write_bytes(gzip.compress(encoded(cls, few("b"))))
    assert uids(store) == ["b"]


# -- writing --------------------------------------------------------------------------


def test_a_run_is_in_the_file_of_its_uid_as_soon_as_it_is_inserted(cls, folder, store):
    documents = few("0ce9b8a2")
    for number in range(len(documents)):
        store.insert(*documents[number])
        (file,) = folder.iterdir()
        assert file.name == f"0ce9b8a2{cls.format.suffix}"
        assert file.read_bytes() == encoded(cls, documents[: number + 1])


def test_what_has_no_run_yet_is_in_a_file_that_others_do_not_see(cls, folder, store):
    insert_all(store, [("resource", resource()), ("datum", datum(1)), ("stop", stop("a"))])
    (file,) = folder.iterdir()
    assert file.name == f"without-run{cls.format.suffix}.part"
    store.insert("start", start("a"))
    assert store.record("a").stop == stop("a")
    with closing(cls(folder, index=False)) as again:
        assert again.record("a").stop == stop("a")
        assert again.datum("res/1") == datum(1)


def test_a_run_that_is_in_a_file_already_goes_on_there(cls, folder, store):
    path = write(cls, folder, "any name", few("a")[:-1])
    insert_all(store, few("a"))
    assert list(folder.iterdir()) == [path]
    assert path.read_bytes() == encoded(cls, few("a"))


def test_of_documents_for_several_files_all_are_written_or_none(cls, folder, store, monkeypatch):
    insert_all(store, few("a")[:-1])
    documents = [("stop", stop("a")), *few("b")[:2], *few("c")[:2]]
    wrote = writing._write

    def write_until_it_is_full(file, data, size):
        if b'"c"' in data or b"\xa1c" in data:
            raise OSError("the disk is full")
        wrote(file, data, size)

    monkeypatch.setattr(writing, "_write", write_until_it_is_full)
    with pytest.raises(OSError, match="the disk is full"):
        store.put_many(documents)
    assert (uids(store), store.record("a").stop) == (["a"], None)
    monkeypatch.setattr(writing, "_write", wrote)
    store.put_many(documents)
    assert uids(store) == ["a", "b", "c"]
    assert {path.stem for path in folder.iterdir()} == {"a", "b", "c"}


def test_half_a_document_of_a_writer_that_was_killed_is_cut_off(cls, folder, store):
    path = write(cls, folder, "a", few("a")[:-1])
    with path.open("ab") as file:
        file.write(encoded(cls, few("a")[-1:])[:-9])
    insert_all(store, few("a"))
    assert path.read_bytes() == encoded(cls, few("a"))
    assert_identical(answers(store, few("a")), expected(few("a")))


@pytest.mark.parametrize("others", [0, 20], ids=["watched", "many_others"])
def test_rows_that_another_opener_added_are_not_cut_off(cls, folder, store, others):
    with closing(cls(folder)) as other:
        assert uids(other) == []
        insert_all(store, whole_run("run")[:2])
        assert other.record("run") is not None
        insert_all(other, [pair for n in range(others) for pair in whole_run(f"other{n}")])
        for number in range(3):
            store.insert("event", event(10 + 2 * number, "run-desc"))
            other.insert("event", event(10 + 2 * number, "run-desc"))
            other.insert("event", event(11 + 2 * number, "run-desc"))
        for each in store, other:
            rows = read_rows(each, "event", "run-desc")
            assert [row["seq_num"] for row in rows] == list(range(10, 16))


def test_a_last_line_without_an_end_is_ended(lines, folder):
    path = folder / "a.jsonl"
    path.write_bytes(encoded(JSONLStore, few("a")[:-1]).rstrip(b"\n"))
    insert_all(lines, few("a"))
    assert path.read_bytes() == encoded(JSONLStore, few("a"))


def test_a_name_that_is_taken_is_not_written_over(cls, folder, store):
    write(cls, folder, "a", few("b"))
    insert_all(store, few("a"))
    assert uids(store) == ["a", "b"]
    assert sorted(path.stem for path in folder.iterdir()) == ["a", "a-2"]


def test_where_nothing_could_be_seen_nothing_is_written(cls, folder):
    pattern = folder / f"run_*{cls.format.suffix}"
    with closing(cls(pattern)) as store, pytest.raises(StoreIsReadOnly, match="folder instead"):
        store.insert("start", start())
    file = write(cls, folder, "a", few("a"))
    for paths in ([file], folder / "*" / "*"):
        with closing(cls(paths)) as store:
            assert not store.capabilities.writable
            with pytest.raises(StoreIsReadOnly):
                store.insert("start", start())
    assert list(folder.iterdir()) == [file]


def test_a_file_of_another_kind_is_refused(cls, tmp_path):
    path = tmp_path / "runs.txt"
    path.touch()
    with pytest.raises(InvalidConfiguration, match=r"runs\.txt is a file whose name does not end"):
        cls(path)


@pytest.mark.parametrize("pattern", ["", "/*.{}"])
def test_a_folder_may_have_a_name_like_a_pattern(cls, tmp_path, pattern):
    folder = tmp_path / "run[1]"
    folder.mkdir()
    write(cls, folder, "a", few("a"))
    with closing(cls(f"{folder}{pattern.format(cls.format.name)}")) as store:
        assert uids(store) == ["a"]
        insert_all(store, few("b"))
        assert uids(store) == ["a", "b"]
        assert (folder / f"b{cls.format.suffix}").exists()


def test_rows_of_a_file_that_became_shorter_are_no_rows_of_what_it_was(cls, folder, store):
    path = write(cls, folder, "a", few("a"))
    (extent,) = store.extents("event", "a-desc")
    path.write_bytes(encoded(cls, few("a")[:3]))
    with pytest.raises(StoreUnavailable, match=r"is not what it was"):
        list(store.read("event", extent, Selection()))


def test_a_row_that_came_since_is_not_among_those_before(cls, folder):
    path = write(cls, folder, "a", few("a")[:-1])
    cache = RowCache(cls.format, FaultNotices("line"))
    before = cache.series(str(path), "event", "a-desc")
    with path.open("ab") as file:
        file.write(encoded(cls, [("event", event(7, "a-desc"))]))
    uid = event(7, "a-desc")["uid"]
    assert cache.series(str(path), "event", "a-desc").row("a-desc", uid) is not None
    assert before.row("a-desc", uid) is None


def test_a_run_whose_file_is_gone_is_not_shown_as_empty(cls, folder, store):
    path = write(cls, folder, "a", few("a"))
    run = Broker(store)["a"]
    assert len(run.table()) == 3
    path.unlink()
    with pytest.raises(NoSuchRun, match=r"is not in .* any more"):
        run.table()


# -- damage -----------------------------------------------------------------------------


def test_a_damaged_line_is_left_out_and_told_once_by_name_and_line(lines, folder):
    documents = few("a")
    data = [encoded(JSONLStore, [pair]) for pair in documents]
    (folder / "a.jsonl").write_bytes(b"".join([*data[:1], b'["descriptor", {"uid\n', *data[1:]]))
    write(JSONLStore, folder, "b", few("b"))
    with pytest.warns(DamageWarning, match=r"a\.jsonl, line 2: "):
        assert uids(lines) == ["a", "b"]
    for uid in "ab":
        assert len(read_rows(lines, "event", f"{uid}-desc")) == 3
    report = lines.check()
    assert [finding.run for finding in report.findings] == ["a"]
    assert "a.jsonl, line 2: " in report.findings[0].text


def test_why_a_line_cannot_be_read_is_said_in_words(lines, folder):
    (folder / "a.jsonl").write_bytes(b'["start", {"uid": "\xe9"}]\n["start", {"uid": "b\n')
    with pytest.warns(DamageWarning, match="line 1: it is no text in UTF-8 .at byte 20.;") as told:
        assert uids(lines) == []
    assert "line 2: it is no JSON (at character 19: Unterminated string" in str(told[0].message)


def test_a_damaged_event_is_told_once_when_rows_are_read_and_found_by_a_check(lines, folder):
    data = encoded(JSONLStore, few("a")).replace(b'"seq_num": 1', b'"seq_num": "x"')
    (folder / "a.jsonl").write_bytes(data)
    assert uids(lines) == ["a"]
    with pytest.warns(DamageWarning, match=r"a\.jsonl, line 4: "):
        assert [row["seq_num"] for row in read_rows(lines, "event", "a-desc")] == [0, 2]
    assert len(read_rows(lines, "event", "a-desc")) == 2
    (finding,) = lines.check().findings
    assert "a.jsonl, line 4: " in finding.text


def test_a_compressed_file_that_is_damaged_is_told(cls, folder, store):
    path = folder / f"a{cls.format.suffix}.gz"
    packed = gzip.compress(encoded(cls, few("a")))
    path.write_bytes(packed[:-8] + b"\0\0\0\0" + packed[-4:])
    with pytest.warns(DamageWarning, match=rf"{cls.format.place} 1: what is compressed is damaged"):
        assert uids(store) == []
    (finding,) = store.check().findings
    assert path.name in finding.text


def test_a_compressed_file_that_ends_too_early_is_told_after_a_while(cls, folder, store):
    path = folder / f"a{cls.format.suffix}.gz"
    path.write_bytes(gzip.compress(encoded(cls, few("a")))[:-40])
    os.utime(path, (1e9, 1e9))
    with pytest.warns(DamageWarning, match="in the middle"):
        assert uids(store) == ["a"]
    assert len(store.check().findings) == 1


def test_a_compressed_half_of_a_document_is_told(cls, folder, store):
    path = folder / f"a{cls.format.suffix}.gz"
    path.write_bytes(gzip.compress(encoded(cls, few("a"))[:-9]))
    with pytest.warns(DamageWarning, match=rf"{cls.format.place} 6: .* in the middle"):
        assert uids(store) == ["a"]


def test_what_comes_after_damage_in_msgpack_is_lost_with_its_run_only(folder):
    data = encoded(MsgpackStore, few("a"))
    (folder / "a.msgpack").write_bytes(encoded(MsgpackStore, few("a")[:2]) + b"\xc1" + data)
    write(MsgpackStore, folder, "b", few("b"))
    with closing(MsgpackStore(folder)) as store:
        with pytest.warns(DamageWarning, match=r"a\.msgpack, document 3: "):
            assert uids(store) == ["a", "b"]
        assert store.record("a").stop is None
        assert store.extents("event", "a-desc") == []
        assert len(read_rows(store, "event", "b-desc")) == 3
        with pytest.raises(Exception, match="damaged"):
            store.insert("stop", stop("a"))


def test_an_old_file_that_ends_in_the_middle_is_told(cls, folder, store):
    path = folder / f"a{cls.format.suffix}"
    path.write_bytes(encoded(cls, few("a"))[:-9])
    os.utime(path, (1e9, 1e9))
    with pytest.warns(DamageWarning, match=rf"{cls.format.place} 6: .* in the middle"):
        assert uids(store) == ["a"]
    assert store.record("a").stop is None
    (finding,) = store.check().findings
    assert "in the middle" in finding.text


@pytest.mark.parametrize("end", ["", ".gz"])
def test_half_a_document_that_never_grows_is_told_in_the_end(cls, folder, monkeypatch, end):
    data = encoded(cls, few("a"))
    path = folder / f"a{cls.format.suffix}{end}"
    path.write_bytes(gzip.compress(data)[:-40] if end else data[:-9])
    seen_at_once(monkeypatch)
    for _ in range(2):  # the index is of both
        with closing(cls(folder)) as store:
            assert uids(store) == ["a"]
    monkeypatch.setattr(findings, "_PATIENCE", 0.0)
    for _ in range(2):
        with closing(cls(folder)) as store:
            with pytest.warns(DamageWarning, match="in the middle"):
                assert uids(store) == ["a"]
            assert uids(store) == ["a"]


def test_a_run_whose_writer_was_killed_long_ago_can_be_ended(cls, folder, store):
    path = folder / f"a{cls.format.suffix}"
    path.write_bytes(encoded(cls, few("a"))[:-9])
    os.utime(path, (1e9, 1e9))
    with pytest.warns(DamageWarning, match="in the middle"):
        store.insert("stop", stop("a"))
    assert store.record("a").stop == stop("a")
    assert path.read_bytes() == encoded(cls, few("a"))


def test_an_empty_file_is_nothing_yet(cls, folder, store):
    path = folder / f"a{cls.format.suffix}"
    path.touch()
    assert uids(store) == []
    assert "empty" in store.check().findings[0].text
    path.write_bytes(encoded(cls, few("a")))
    assert uids(store) == ["a"]


def test_two_runs_in_one_file_are_two_runs(cls, folder, store, monkeypatch):
    seen_at_once(monkeypatch)
    write(cls, folder, "ab", [*few("a"), *few("b")])
    write(cls, folder, "c", few("c"))
    assert uids(store) == ["a", "b", "c"]
    for uid in "abc":
        assert len(read_rows(store, "event", f"{uid}-desc")) == 3
    write(cls, folder, "ab", few("b"))
    assert uids(store) == ["b", "c"]
    assert len(read_rows(store, "event", "b-desc")) == 3


def test_a_file_that_is_gone_takes_all_its_runs_along(cls, folder, store, monkeypatch):
    seen_at_once(monkeypatch)
    path = write(cls, folder, "ab", [*few("a"), *few("b")])
    write(cls, folder, "c", few("c"))
    assert uids(store) == ["a", "b", "c"]
    path.unlink()
    assert uids(store) == ["c"]


@pytest.mark.parametrize("times", [(1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 2.0, 3.0)])
@pytest.mark.parametrize("again", [[], ["a"]])
def test_many_new_files_may_have_one_time_or_one_run(cls, folder, store, times, again):
    runs = {uid: few(uid, time=time) for uid, time in zip("abcd", times, strict=True)}
    for number, uid in enumerate([*runs, *again]):
        path = write(cls, folder, f"{number}", runs[uid])
        os.utime(path, (1e9 + number, 1e9 + number))
    assert [run.uid for run in store.find(Everything())] == ["d", "c", "b", "a"]
    for uid, documents in runs.items():
        assert store.record(uid).stop == stop(uid)
        assert [doc for _, doc in store.documents(uid)] == [documents[1][1]]
        assert len(read_rows(store, "event", f"{uid}-desc")) == 3


def test_a_file_that_does_not_begin_with_a_start_is_told(cls, folder, store):
    write(cls, folder, "a", few("a")[1:])
    write(cls, folder, "b", few("b"))
    with pytest.warns(DamageWarning, match="does not begin with a start"):
        assert uids(store) == ["b"]


def test_another_run_of_the_same_uid_is_told(cls, folder, store):
    path = write(cls, folder, "a", few("a"))
    os.utime(path, (1e9, 1e9))
    write(cls, folder, "b", [("start", start("a", sample="another"))])
    with pytest.warns(DamageWarning, match=r"\Wb\..* already stored with other content"):
        assert uids(store) == ["a"]


def test_a_file_of_something_else_spoils_nothing(cls, folder, store):
    (folder / f"a{cls.format.suffix}").write_bytes(bytes(range(256)) * 50)
    write(cls, folder, "b", few("b"))
    with pytest.warns(DamageWarning):
        assert uids(store) == ["b"]
    assert not store.check().ok


# -- the index ----------------------------------------------------------------------------


def test_an_index_may_be_removed_at_any_time(cls, folder, store):
    insert_all(store, few("a"))
    for removed in range(3):
        for path in store._follower.index.path.parent.iterdir():
            path.unlink()
        assert uids(store) == ["a", "b"][: 1 + removed]
        insert_all(store, few("b"))


def test_an_index_that_is_damaged_is_made_anew(cls, folder):
    write(cls, folder, "a", few("a"))
    with closing(cls(folder)) as store:
        assert uids(store) == ["a"]
        path = store._follower.index.path
    path.write_bytes(b"no database" * 100)
    with closing(cls(folder)) as store:
        assert uids(store) == ["a"]


def test_two_openers_make_one_index(cls, folder):
    for number in range(20):
        write(cls, folder, f"{number}", few(f"{number}"))
    with closing(cls(folder)) as one, closing(cls(folder)) as other:
        assert uids(one) == uids(other)
        assert one._follower.index.path == other._follower.index.path


def test_an_index_is_where_it_is_told_to_be_and_private(cls, folder, tmp_path):
    write(cls, folder, "a", few("a"))
    with closing(cls(folder, index=tmp_path / "here")) as store:
        assert uids(store) == ["a"]
        assert (tmp_path / "here").stat().st_mode & 0o777 == 0o700
        with closing(pickle.loads(pickle.dumps(store))) as again:
            assert again._follower.index.path.parent == tmp_path / "here"


def test_where_no_index_can_be_kept_it_is_a_temporary_one(cls, folder, tmp_path):
    write(cls, folder, "a", few("a"))
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="cannot be kept"):
        store = cls(folder, index=tmp_path / "file" / "inside")
    assert uids(store) == ["a"]
    made = store._follower.index.path.parent
    assert made.is_dir()
    store.close()
    assert not made.exists()


def test_a_run_that_is_searched_before_and_after_others_come(cls, folder, store):
    """The index of metadata is made when it is searched by, for what is not in it yet."""
    for number in range(6):
        write(cls, folder, f"{number}", few(f"{number}", sample="Ni", n=number % 2))
        assert store.count(Equals(Path("n"), 0)) == number // 2 + 1
        assert len(uids(store, SAMPLE)) == number + 1
    assert store.distinct(Path("n"), Everything()) == [(0, 3), (1, 3)]


def test_runs_are_listed_before_they_are_searched(cls, folder, store):
    for number in range(6):
        write(cls, folder, f"{number}", few(f"{number}", time=1e9 + number, sample=f"{number}"))
    early = TimeBounds(None, 1e9 + 2)
    assert [run.uid for run in store.find(Everything())] == list("543210")
    assert [run.uid for run in store.find(early)] == list("210")
    assert (store.count(Everything()), store.count(early)) == (6, 3)
    assert store.resolve("", 9) == list("012345")
    assert any_unsearchable(store._follower.index._connections.get())  # as nothing needed it
    assert list(store.select(early, [Path("sample")])) == [("2",), ("1",), ("0",)]
    assert len(store.distinct(Path("sample"), Everything())) == 6
    assert "sample" in store.keys(99)
    assert not any_unsearchable(store._follower.index._connections.get())


def test_a_closed_store_says_so(cls, folder):
    store = cls(folder)
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.count(Everything())
    with pytest.raises(StoreUnavailable, match="closed"):
        store.insert("start", start())


def test_rows_of_more_files_than_are_kept_are_read_again(cls, folder, store, monkeypatch):
    monkeypatch.setattr("databroker.stores.files.rows._MOST_BYTES", 1)
    for name in "abc":
        write(cls, folder, name, few(name))
    for name in "abcabc":
        assert len(read_rows(store, "event", f"{name}-desc")) == 3


def test_large_pages_and_small_ones_are_read_as_rows(cls, folder, store):
    documents = [("start", start()), ("descriptor", descriptor())]
    pages = [range(3), range(3, 203), range(203, 204), range(204, 304)]
    documents += [("event_page", event_page(page)) for page in pages]
    write(cls, folder, "a", [*documents, *documents[2:4]])  # some of it twice
    assert_identical(read_rows(store, "event", "desc"), [event(n) for n in range(304)])


def test_a_folder_that_goes_and_comes_again(cls, folder, store, monkeypatch):
    seen_at_once(monkeypatch)
    insert_all(store, few("a"))
    shutil.rmtree(folder)
    assert uids(store) == []
    insert_all(store, few("b"))
    assert uids(store) == ["b"]


def test_no_warning_without_damage(cls, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with closing(cls(folder)) as store:
            insert_all(store, whole_run("a"))
            assert store.check()
            assert store.size() > 0


def _damaged(data, chance):
    """Return bytes in which some are others, missing, doubled or new."""
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        place, other = chance.randrange(len(data)), chance.randrange(len(data))
        length = chance.randrange(1, 30)
        change = chance.choice(["other", "missing", "new", "doubled"])
        if change == "other":
            data[place] = chance.randrange(256)
        elif change == "missing":
            del data[place : min(place + length, len(data) - 1)]
        elif change == "new":
            data[place:place] = chance.randbytes(length)
        else:
            data[place:place] = data[other : other + length]
    return bytes(data)


@pytest.mark.filterwarnings("ignore::databroker.errors.DamageWarning")
@quick(70)
@given(chance=st.randoms(use_true_random=False))
def test_damage_of_any_kind_spoils_one_run_at_most(cls, chance):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        data = encoded(cls, [*whole_run("a"), ("event", event(9, "a-desc", x=np.arange(3.0)))])
        (path / f"a{cls.format.suffix}").write_bytes(_damaged(data, chance))
        write(cls, path, "b", whole_run("b"))
        with closing(cls(path, index=False)) as store:
            assert "b" in uids(store)
            for run in store.find(Everything()):
                for kind, doc in store.documents(run.uid):
                    read_rows(store, ROWS[kind], doc["uid"])
            assert len(read_rows(store, "event", "b-desc")) == 3
            store.check()


@pytest.mark.parametrize("events", [1, 400])
def test_an_edit_of_the_start_is_noticed_though_the_file_grew(cls, folder, store, events):
    documents = [("start", start(sample="Ni")), ("descriptor", descriptor())]
    insert_all(store, [*documents, *(("event", event(n)) for n in range(events))])
    assert store.count(SAMPLE) == 1
    (path,) = folder.iterdir()
    with path.open("r+b") as file:  # where it is, and of the same length
        begin = file.read(300)
        file.seek(begin.index(b"Ni"))
        file.write(b"Fe")
    with path.open("ab") as file:
        file.write(cls.format.encode("event", event(events)))
    assert store.count(Equals(Path("sample"), "Fe")) == 1
    assert len(read_rows(store, "event", "desc")) == events + 1


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system does not tell")
def test_files_are_closed_when_the_last_one_lets_go_of_the_store(cls, folder, tmp_path):
    store = cls(folder, index=tmp_path / "index")
    insert_all(store, whole_run())
    broker = Broker(store)
    assert [run.table().shape[0] > 0 for run in broker(status="success")]
    begun = store.find(Everything())
    held = [weakref.ref(store), weakref.ref(store._follower.index)]
    gc.disable()
    try:
        del store, broker
        assert next(begun).uid == "run"  # a search that goes on holds it
        assert None not in [each() for each in held]
        del begun
        # What is written is tidied in a thread of its own, half a second later.
        assert wait_until(lambda: not _open_files_in(tmp_path), 60)
        assert [each() for each in held] == [None, None]
    finally:
        gc.enable()


def _open_files_in(folder):
    links = (os.path.realpath(each) for each in pathlib.Path("/proc/self/fd").iterdir())
    return [each for each in links if each.startswith(f"{folder}/")]
