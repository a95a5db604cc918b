"""An index keeps up with files of others, which come, grow, change and go."""

import os
import re
import shutil
import time
from contextlib import closing

import pytest

from databroker._util.polling import wait_until
from databroker.errors import StoreUnavailable
from databroker.query.nodes import Equals, Everything, Path
from databroker.stores.files import JSONLStore, following
from databroker.stores.sql.file_index import FileIndex
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import (
    descriptor,
    event,
    insert_all,
    start,
    stop,
    whole_run,
)
from databroker.testing.reference import read_rows
from helpers.run_files import SAMPLE, encoded, few, seen_at_once, uids, write


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


def test_an_empty_file_is_nothing_yet(cls, folder, store):
    path = folder / f"a{cls.format.suffix}"
    path.touch()
    assert uids(store) == []
    assert "empty" in store.check().findings[0].text
    path.write_bytes(encoded(cls, few("a")))
    assert uids(store) == ["a"]


def test_a_file_that_is_gone_takes_its_run_along(cls, folder, store):
    for name in "ab":
        write(cls, folder, name, few(name, sample="Ni"))
    assert uids(store, SAMPLE) == ["a", "b"]
    (folder / f"a{cls.format.suffix}").unlink()
    assert uids(store, SAMPLE) == uids(store) == ["b"]
    assert store.record("a") is None
    assert list(store.documents("a")) == []
    assert store.extents("event", "a-desc") == []


def test_a_file_that_is_gone_takes_all_its_runs_along(cls, folder, store, monkeypatch):
    seen_at_once(monkeypatch)
    path = write(cls, folder, "ab", [*few("a"), *few("b")])
    write(cls, folder, "c", few("c"))
    assert uids(store) == ["a", "b", "c"]
    path.unlink()
    assert uids(store) == ["c"]


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


def test_what_is_deep_in_the_past_is_seen_after_a_while(lines, folder):
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
    assert wait_until(lambda: len(list(lines.documents("01"))) == 2, 60)


def test_a_folder_that_goes_and_comes_again(cls, folder, store, monkeypatch):
    seen_at_once(monkeypatch)
    insert_all(store, few("a"))
    shutil.rmtree(folder)
    assert uids(store) == []
    insert_all(store, few("b"))
    assert uids(store) == ["b"]
