"""What is damaged in a file is told once and by its place, and spoils one run at most."""

import gzip
import os
import pathlib
import tempfile
import warnings
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker.documents.kinds import ROWS
from databroker.errors import DamageWarning
from databroker.query.nodes import Everything
from databroker.stores.files import JSONLStore, MsgpackStore, findings
from databroker.testing.conformance.base import event, insert_all, quick, start, stop, whole_run
from databroker.testing.reference import read_rows
from helpers.run_files import encoded, few, seen_at_once, uids, write


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
