"""The file in which documents wait: what was appended is read, up to what a crash cut off."""

import contextlib
import errno
import itertools
import os

import numpy as np
import pytest

from databroker.errors import StoreDamaged
from databroker.stores.spill import journal as journals
from databroker.stores.spill.journal import (
    Journal,
    left_behind,
    new_journal,
    read_heading,
    read_records,
)
from databroker.testing import assert_identical
from databroker.testing.interrupting import interrupted_after

RECORDS = [["start", {"uid": "a"}], ["event", {"x": np.arange(3), "n": 2**70}], ["stop", {}]]


@pytest.fixture
def journal(tmp_path):
    made = new_journal(tmp_path / "spill", {"store": "a store"}, sync=True)
    made.append(RECORDS)
    yield made
    made.close()


@pytest.fixture
def file(journal):
    """The file of a writer that is gone."""
    journal.close()
    return journal.path


def taken(path):
    journal = Journal.take(path)
    found = [record for record, _ in journal.batch()]
    journal.close()
    return found


def test_what_was_appended_is_read_in_its_order(journal):
    assert_identical([record for record, _ in journal.batch()], RECORDS)
    assert_identical(list(read_records(journal.path)), RECORDS)
    assert read_heading(journal.path) == {"store": "a store"}


def test_what_is_done_with_does_not_come_again(journal):
    journal.place = journal.batch()[1][1]
    assert [record for record, _ in journal.batch()] == RECORDS[2:]
    journal.place = journal.batch()[0][1]
    assert journal.batch() == []
    journal.append([["start", {"uid": "b"}]])
    assert [record for record, _ in journal.batch()] == [["start", {"uid": "b"}]]


def test_a_batch_has_a_bound(journal, monkeypatch):
    monkeypatch.setattr(journals, "_BATCH", 10)
    assert len(journal.batch()) == 1


def test_a_tail_that_was_cut_off_is_left_out(file):
    whole = file.read_bytes()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        found = taken(file)
        assert_identical(found, RECORDS[: len(found)])
    assert len(found) == len(RECORDS) - 1


def test_room_that_was_never_filled_is_left_out(file):
    with file.open("ab") as more:
        more.write(b"\0" * 5000)
    assert_identical(taken(file), RECORDS)


def test_every_flipped_byte_is_noticed_or_cuts_off_the_end(file):
    whole = file.read_bytes()
    for place in range(whole.index(b"\n") + 1, len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        journal = Journal.take(file)
        found = []
        with contextlib.suppress(StoreDamaged):
            while batch := journal.batch():
                found += [record for record, _ in batch]
                journal.place = batch[-1][1]
        assert_identical(found, RECORDS[: len(found)])
        assert len(found) < len(RECORDS)
        journal.close()


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "1.spill"
    path.write_text("a letter to my aunt\n")
    with pytest.raises(StoreDamaged, match="no file of waiting documents"):
        Journal.take(path)
    path.write_text('{"databroker-spill": 2}\n')
    with pytest.raises(StoreDamaged, match="newer databroker"):
        Journal.take(path)


def test_nobody_takes_a_file_whose_writer_lives(journal):
    assert Journal.take(journal.path) is None
    journal.close()
    again = Journal.take(journal.path)
    assert Journal.take(journal.path) is None
    again.remove()
    with pytest.raises(FileNotFoundError):
        Journal.take(journal.path)
    assert left_behind(journal.path.parent) == []


@pytest.mark.parametrize("room", [0, 5, 60])
def test_of_records_that_do_not_fit_together_none_is_left(journal, monkeypatch, room):
    class Full:
        """A file on a disk that has no more room than for the first of two records."""

        def __init__(self, file):
            self._file, self._room = file, room

        def __getattr__(self, name):
            return getattr(self._file, name)

        def write(self, data):
            if data and not self._room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = self._file.write(data[: self._room])
            self._room -= written
            return written

    monkeypatch.setattr(journal, "_file", Full(journal._file))
    with pytest.raises(OSError, match="No space left"):
        journal.append([["start", {"uid": "b"}], ["start", {"uid": "b", "long": "x" * 100}]])
    monkeypatch.undo()
    journal.append([["start", {"uid": "c"}]])
    assert_identical([r for r, _ in journal.batch()], [*RECORDS, ["start", {"uid": "c"}]])


def test_records_that_were_interrupted_are_all_left_or_none(tmp_path):
    with contextlib.closing(new_journal(tmp_path, {}, sync=True)) as journal:
        for place in itertools.count():
            with (
                contextlib.suppress(KeyboardInterrupt),
                interrupted_after(place, KeyboardInterrupt) as struck,
            ):
                journal.append(RECORDS)
            assert len(journal.batch()) % len(RECORDS) == 0
            if not struck:
                break
        journal.append(RECORDS)
        assert_identical([record for record, _ in journal.batch()][-len(RECORDS) :], RECORDS)


def test_files_are_in_the_order_of_their_making(tmp_path):
    made = [new_journal(tmp_path, {}, sync=False) for _ in range(5)]
    assert left_behind(tmp_path) == [each.path for each in made]
    for each in made:
        each.close()
