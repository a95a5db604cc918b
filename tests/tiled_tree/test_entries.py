"""What a server is given of a run, as it is at each request."""

import asyncio

import numpy as np
import pytest
from fastapi import HTTPException
from tiled.ndslice import NDBlock, NDSlice
from tiled.server.core import NoEntry

import databroker
from databroker.testing.conformance.base import descriptor, event, start, stop
from databroker.tiled import tree
from databroker.tiled.array import ArrayEntry


@pytest.fixture
def db():
    db = databroker.temp()
    for kind, document in (("start", start()), ("descriptor", descriptor()), ("event", event(1))):
        db.insert(kind, document)
    return db


def seq_nums(runs):
    return runs.child("run").child("primary").child("internal").read(["seq_num"])["seq_num"]


def test_a_run_that_goes_on_is_seen_as_it_is(db):
    runs = tree(db)
    assert runs.child("run").metadata()["stop"] is None
    assert list(seq_nums(runs)) == [1]
    db.insert("event", event(2))
    assert list(seq_nums(runs)) == [1, 2]
    db.insert("stop", stop())
    assert runs.child("run").metadata()["stop"]["run_start"] == "run"


def test_what_comes_after_the_end_is_seen_too(db):
    runs = tree(db)
    db.insert("stop", stop())
    assert list(seq_nums(runs)) == [1]
    assert runs.child("run").child("primary") is runs.child("run").child("primary")
    db.insert("event", event(2))
    assert list(seq_nums(runs)) == [1, 2]


def test_an_export_of_a_run_that_goes_on_is_never_taken_for_an_older_one(db):
    run = tree(db).child("run")
    assert run.__dask_tokenize__() != tree(db).child("run").__dask_tokenize__()
    db.insert("stop", stop())
    ended = [tree(db).child("run").__dask_tokenize__() for _ in range(2)]
    assert ended[0] == ended[1]


def test_a_table_is_cut_into_partitions(monkeypatch):
    monkeypatch.setattr("databroker.runs.stream.layout.CHUNK_BYTES", 2_000)
    monkeypatch.setattr("databroker.runs.stream.layout.PAGE_BYTES", 1_000)
    db = databroker.temp()
    for kind, document in (("start", start()), ("descriptor", descriptor())):
        db.insert(kind, document)
    for number in range(1, 201):
        db.insert("event", event(number))
    table = tree(db).child("run").child("primary").child("internal")
    partitions = table.structure().npartitions
    assert partitions > 3
    parts = [table.read_partition(number) for number in range(partitions)]
    assert [n for part in parts for n in part["seq_num"]] == list(range(1, 201))
    for number in (-1, partitions):
        with pytest.raises(IndexError):
            table.read_partition(number)
    with pytest.raises(KeyError):
        table.read_partition(0, ["nothing"])


@pytest.mark.parametrize("path", [["no run"], ["run", "no stream"], ["run", "primary", "nothing"],
                                  ["run", "primary", "internal", "nothing"]])  # fmt: skip
def test_what_is_not_there(db, path):
    with pytest.raises(NoEntry):
        asyncio.run(tree(db).lookup_adapter(path))


def test_blocks_and_slices_are_those_of_the_array():
    values = np.arange(60).reshape(5, 4, 3)
    array = ArrayEntry(values, {})
    assert np.array_equal(array.read(NDSlice(slice(1, 4), 2)), values[1:4, 2])
    assert np.array_equal(array.read_block(NDBlock(0, 0, 0), NDSlice(slice(0, 2))), values[:2])


def test_more_than_may_be_sent_is_refused_before_it_is_read():
    class Large:
        shape, dtype = (2**20, 2**20), np.dtype("f8")

    with pytest.raises(HTTPException, match="would exceed"):
        ArrayEntry(Large(), {}).read()
