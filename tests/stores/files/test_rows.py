"""Rows are read from the files themselves, as these are now."""

import pytest

from databroker import Broker
from databroker.columns import Selection
from databroker.errors import NoSuchRun, StoreUnavailable
from databroker.stores.files.rows import RowCache
from databroker.stores.files.telling import FaultNotices
from databroker.testing import assert_identical
from databroker.testing.conformance.base import descriptor, event, event_page, start
from databroker.testing.reference import read_rows
from helpers.run_files import encoded, few, write


def test_large_pages_and_small_ones_are_read_as_rows(cls, folder, store):
    documents = [("start", start()), ("descriptor", descriptor())]
    pages = [range(3), range(3, 203), range(203, 204), range(204, 304)]
    documents += [("event_page", event_page(page)) for page in pages]
    write(cls, folder, "a", [*documents, *documents[2:4]])  # some of it twice
    assert_identical(read_rows(store, "event", "desc"), [event(n) for n in range(304)])


def test_rows_of_more_files_than_are_kept_are_read_again(cls, folder, store, monkeypatch):
    monkeypatch.setattr("databroker.stores.files.rows._MOST_BYTES", 1)
    for name in "abc":
        write(cls, folder, name, few(name))
    for name in "abcabc":
        assert len(read_rows(store, "event", f"{name}-desc")) == 3


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
