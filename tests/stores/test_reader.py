"""Rows of several blocks are read with two statements, and what fails is read by itself."""

import contextlib

import numpy as np
import pytest

from databroker.columns import ALL, to_rows
from databroker.errors import StoreDamaged
from databroker.stores.sql import SQLiteStore, reader
from databroker.stores.sql.postgresql import PostgreSQLStore
from databroker.testing.conformance.base import descriptor, event_page, insert_all, start

ROWS = 60  # of a block
BLOCKS = 15


def page(number, columns=20):
    """Rows that are stored in several groups of columns."""
    first = number * ROWS + 1
    found = event_page(range(first, first + ROWS))
    chance = np.random.default_rng(number)
    names = [f"x{place}" for place in range(columns)]
    found["data"] = {name: chance.random(ROWS).tolist() for name in names}
    found["timestamps"] = {name: chance.random(ROWS).tolist() for name in names}
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, path, monkeypatch):
    """A run in progress whose fifteen blocks have several segments each."""
    monkeypatch.setattr("databroker.columns.segments.SMALL", 600)
    if request.param == "sqlite":
        opened = SQLiteStore(path)
    else:
        schema = request.getfixturevalue("new_schema")()
        opened = PostgreSQLStore(request.getfixturevalue("postgresql"), schema=schema)
    with contextlib.closing(opened):
        insert_all(opened, [("start", start()), ("descriptor", descriptor())])
        insert_all(opened, [("event_page", page(number)) for number in range(BLOCKS)])
        yield opened


@pytest.fixture
def read(monkeypatch):
    """How many bytes the segments have that are read with each statement."""
    sizes = []
    intact = reader.intact_blobs

    def weighing(connection, segments, as_views):
        several = list(segments)
        sizes.append(sum(segment.size for segment in several))
        return intact(connection, several, as_views)

    monkeypatch.setattr(reader, "intact_blobs", weighing)
    return sizes


def seq_nums(batches):
    return [row["seq_num"] for batch in batches for row in to_rows("event", "desc", batch)]


def statements(store, monkeypatch):
    """The statements of a store from now on."""
    connection = type(store._connections.get())
    asked = []
    for name in {"execute", "views"} & vars(connection).keys():
        method = getattr(connection, name)

        def counting(self, statement, values=(), method=method):
            asked.append(statement)
            return method(self, statement, values)

        monkeypatch.setattr(connection, name, counting)
    return asked


def test_blocks_that_follow_each_other_are_two_statements(store, monkeypatch):
    extents = store.extents("event", "desc")
    assert len(extents) == BLOCKS
    asked = statements(store, monkeypatch)
    found = [row for some in store.read_extents("event", extents, ALL) for row in seq_nums(some)]
    assert found == list(range(1, BLOCKS * ROWS + 1))
    assert len(asked) == 2, asked


def test_what_is_read_at_once_has_a_bound(store, read, monkeypatch):
    extents = store.extents("event", "desc")
    assert len(list(store.read_extents("event", extents, ALL))) == BLOCKS
    (everything,) = read
    monkeypatch.setattr(reader, "AHEAD_BYTES", everything // 4)
    assert len(list(store.read_extents("event", extents, ALL))) == BLOCKS
    assert 4 <= len(read[1:]) <= 6
    assert max(read[1:]) <= everything // 4
    assert sum(read[1:]) == everything


def test_a_part_of_an_extent_brings_no_other_blocks(store, read):
    extents = store.extents("event", "desc")
    assert seq_nums(store.read("event", extents[3], ALL, (5, 7))) == [186, 187]
    assert len(list(store.read_extents("event", extents, ALL))) == BLOCKS
    one, everything = read
    assert one < everything / (BLOCKS - 1)


@pytest.mark.parametrize("ahead", [1, 100_000, 4 * 2**20])
def test_blocks_may_be_merged_while_they_are_read(store, ahead, monkeypatch):
    monkeypatch.setattr(reader, "AHEAD_BYTES", ahead)
    extents = store.extents("event", "desc")
    parts = store.read_extents("event", extents, ALL)
    found = [row for _, some in zip(range(4), parts, strict=False) for row in seq_nums(some)]
    store.insert("event_page", page(BLOCKS))
    assert len(store.extents("event", "desc")) == 1
    found += [row for some in parts for row in seq_nums(some)]
    assert found == list(range(1, BLOCKS * ROWS + 1))


@pytest.mark.parametrize("change", ["UPDATE segments SET data = ? WHERE id = ?", "DELETE"])
def test_a_damaged_segment_is_told_where_its_rows_are(store, change):
    extents = store.extents("event", "desc")
    connection = store._connections.get()
    numbers = [number for (number,) in connection.execute("SELECT id FROM segments ORDER BY id")]
    damaged = numbers[len(numbers) // 2]
    if change == "DELETE":
        connection.execute("DELETE FROM segments WHERE id = ?", (damaged,))
    else:
        connection.execute(change, (b"nothing", damaged))
    parts = store.read_extents("event", extents, ALL)
    before = BLOCKS // 2
    for place in range(before):
        assert seq_nums(next(parts))[0] == place * ROWS + 1
    with pytest.raises(StoreDamaged, match=f"rows {before * ROWS} to {before * ROWS + ROWS - 1}"):
        next(parts)
    for place in range(before + 1, BLOCKS):
        (batch,) = store.read("event", extents[place], ALL)
        assert batch.num_rows == ROWS


def test_an_extent_of_another_file_gives_none_of_this_ones_rows(store):
    (first, second, *_) = store.extents("event", "desc")
    insert_all(store, [("descriptor", descriptor("other"))])
    insert_all(store, [("event_page", {**page(5), "descriptor": "other"})])
    (other,) = store.extents("event", "other")
    begin, owner, _ = first.token
    mistaken = type(first)(first.rows, 1, ROWS, (begin, owner, other.token[2]))
    unknown = type(first)(first.rows, 1, ROWS, (begin, "nobody", first.token[2]))
    found = store.read_extents("event", [mistaken, unknown, second], ALL)
    assert [seq_nums(some) for some in found] == [
        list(range(1, ROWS + 1)),
        [],
        list(range(ROWS + 1, 2 * ROWS + 1)),
    ]
