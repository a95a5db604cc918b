"""What is inserted is appended to the file of its run, by one opener or by several."""

import gc
import os
import pathlib
import weakref
from contextlib import closing

import pytest

from databroker import Broker
from databroker._util.polling import wait_until
from databroker.errors import DamageWarning, StoreIsReadOnly, StoreUnavailable
from databroker.query.nodes import Everything
from databroker.stores.files import JSONLStore, writing
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import (
    datum,
    event,
    insert_all,
    resource,
    start,
    stop,
    whole_run,
)
from databroker.testing.reference import read_rows
from helpers.run_files import encoded, few, uids, write


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


def test_a_run_whose_writer_was_killed_long_ago_can_be_ended(cls, folder, store):
    path = folder / f"a{cls.format.suffix}"
    path.write_bytes(encoded(cls, few("a"))[:-9])
    os.utime(path, (1e9, 1e9))
    with pytest.warns(DamageWarning, match="in the middle"):
        store.insert("stop", stop("a"))
    assert store.record("a").stop == stop("a")
    assert path.read_bytes() == encoded(cls, few("a"))


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


def test_a_closed_store_says_so(cls, folder):
    store = cls(folder)
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.count(Everything())
    with pytest.raises(StoreUnavailable, match="closed"):
        store.insert("start", start())


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
