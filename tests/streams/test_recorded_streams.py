"""Streams of recorded and of arbitrary runs: every form says the same.

The recordings belong to others and do not travel with the project; where they
are not beside it, these tests say so and are skipped.
"""

import gzip
import json
import warnings
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from databroker import Broker
from databroker.documents.encode import same
from databroker.external import external_fields
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.testing import strategies
from databroker.testing.conformance.base import insert_all, quick

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data"


def tutorial():
    for path in sorted((RECORDED / "tutorial-jsonl").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            yield tuple(json.loads(line))


def beamline():
    with gzip.open(RECORDED / "aps" / "apstools.json.gz", "rt") as file:
        yield from map(tuple, json.load(file))


def equal(one, other):
    if same(one, other):
        return True
    if not plain(one, other):
        return False
    # With missing ones beside them, integers are given as floats.
    left, right = np.asarray(one), np.asarray(other)
    kinds = {left.dtype.kind, right.dtype.kind}
    return "f" in kinds and kinds <= set("fiu") and np.array_equal(left, right.astype(float))


def plain(*values):
    return all(isinstance(value, float | int | np.number | np.ndarray) for value in values)


def missing(value):
    if isinstance(value, np.ndarray) and value.dtype == object:
        return all(each is None for each in value.flat)  # of an array of text
    numbers = isinstance(value, float | np.inexact | np.ndarray)
    return value is None or (numbers and bool(np.all(value != value)))


def assert_same(one, other, what):
    assert len(one) == len(other), what
    for left, right in zip(one, other, strict=True):
        assert equal(left, right) or (missing(left) and missing(right)), (what, left, right)


def assert_consistent(stream):
    """Fail unless table, dataset, lazy dataset and fields of a stream agree."""
    table, dataset, lazy = stream.table(), stream.read(fill=False), stream.to_dask(fill=False)
    assert dataset.seq_num.values.tolist() == table.index.tolist()
    assert list(dataset.data_vars) == list(lazy.data_vars)
    external = external_fields(stream.descriptors)
    names = {dataset[name].attrs.get("data_key", name): name for name in dataset.data_vars}
    assert list(names) == stream.fields
    for field, name in names.items():
        values = dataset[name].values
        if field != "time":
            assert_same(values, table[field].tolist(), (field, "table"))
        assert_same(values, np.asarray(lazy[name].data), (field, "lazy"))
        assert dataset[name].dtype == lazy[name].dtype
        if field not in external:  # of those, it would open the files
            assert_same(values, stream[field][:], (field, "field"))
            assert dataset[name].dtype == stream[field].dtype
        assert dataset[name].dims == lazy[name].dims
    assert len(stream.timestamps.read().time) == len(table)
    for device in stream.config:
        assert len(stream.config[device].read().time) == len(table)
    stream.config_changes()


@pytest.mark.filterwarnings("ignore:Some data have other shapes:UserWarning")
@pytest.mark.parametrize("source", [tutorial, beamline])
def test_recorded_streams_are_consistent(tmp_path, source):
    if not RECORDED.is_dir():
        pytest.skip(f"no recordings in {RECORDED}")
    with closing(Broker(SQLiteStore(tmp_path / "runs.db"))) as db:
        insert_all(db.store, source())
        streams = 0
        for header in db():
            for stream in header.streams.values():
                assert_consistent(stream)
                streams += 1
            if "primary" in header.streams:
                for how in ("nearest", "previous", "linear"):
                    header.align(how=how)
        assert streams > 10


@quick(30)
@given(documents=strategies.runs())
def test_arbitrary_streams_are_consistent(tmp_path_factory, documents):
    stores = [MemoryStore(), SQLiteStore(tmp_path_factory.mktemp("any") / "runs.db")]
    for store in stores:
        with closing(Broker(store)) as db, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            insert_all(store, documents)
            for header in db():
                for stream in header.streams.values():
                    assert_consistent(stream)
