"""An index of files is made when it is needed, kept where it may be, and made anew."""

import pickle
from contextlib import closing

import pytest

from databroker.query.nodes import Equals, Everything, Path, TimeBounds
from databroker.stores.sql.engine.statements.files import any_unsearchable
from databroker.testing.conformance.base import insert_all
from helpers.run_files import SAMPLE, few, uids, write


def test_an_index_that_is_fresh_reads_no_file(cls, folder, monkeypatch):
    for name in "abc":
        write(cls, folder, name, few(name))
    with closing(cls(folder)) as store:
        assert uids(store) == ["a", "b", "c"]
    monkeypatch.setattr(type(cls.format), "parse", lambda *_: pytest.fail("a file was read"))
    with closing(cls(folder)) as store:
        assert uids(store, Equals(Path("uid"), "b")) == ["b"]


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
