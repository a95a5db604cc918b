"""Runs that instruments recorded: out of each store comes what went in.

The recordings belong to others and do not travel with the project; where they
are not beside it, these tests say so and are skipped.
"""

import functools
import gzip
import json
from contextlib import ExitStack, closing
from pathlib import Path

import msgpack
import numpy as np
import pytest

from databroker.query.nodes import DataKey, Equals, Everything, TimeBounds
from databroker.query.nodes import Path as Key
from databroker.query.text import parse_text
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.testing import answers, assert_identical, assert_same_answers, expected

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data"
SOURCES = ["tutorial-jsonl", "packed-msgpack", "aps"]


def _read_jsonl(path):
    with path.open(encoding="utf-8") as lines:
        return [tuple(json.loads(line)) for line in lines]


def _restored(value):
    """Return what msgpack-numpy packed: arrays and NumPy scalars are marked dictionaries."""
    if b"nd" not in value:
        return value
    array = np.frombuffer(value[b"data"], np.dtype(value[b"type"]))
    return array.reshape(value[b"shape"]).copy() if value[b"nd"] else array[0]


def _read_msgpack(path):
    with path.open("rb") as file:
        return [tuple(pair) for pair in msgpack.Unpacker(file, object_hook=_restored)]


def _read_gzip(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [tuple(pair) for pair in json.load(file)]


READERS = {".jsonl": _read_jsonl, ".msgpack": _read_msgpack, ".gz": _read_gzip}


@functools.cache
def recorded(source):
    folder = RECORDED / source
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in READERS]
    assert paths, f"nothing readable in {folder}"
    return [pair for path in paths for pair in READERS[path.suffix](path)]


@pytest.fixture(params=SOURCES)
def documents(request):
    return recorded(request.param)


@pytest.fixture
def stores(tmp_path):
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(store))
            for store in (MemoryStore(), SQLiteStore(tmp_path / "runs.db"))
        ]


def _deliver(store, documents):
    for kind, doc in documents:
        store.insert(kind, doc)


def test_the_recordings_are_all_there():
    counts = {source: sum(kind == "start" for kind, _ in recorded(source)) for source in SOURCES}
    assert counts == {"tutorial-jsonl": 17, "packed-msgpack": 6, "aps": 53}


def test_documents_come_out_as_they_went_in(documents, stores):
    for store in stores:
        _deliver(store, documents)
        assert_identical(answers(store, documents), expected(documents))


def test_both_stores_answer_alike(documents, stores):
    for store in stores:
        _deliver(store, documents)
    queries = [
        Equals(Key("plan_name"), "scan"),
        Equals(Key("motors"), "motor1"),
        Equals(Key("exit_status", "stop"), "success"),
        DataKey("det"),
        DataKey("noisy_det"),
        parse_text("al foil"),
        TimeBounds(1555016675.0, 1.6e9),
        ~Equals(Key("plan_name"), "count"),
    ]
    assert_same_answers(*stores, documents, queries)


def test_delivery_again_changes_nothing(documents, stores):
    for store in stores:
        _deliver(store, documents)
        _deliver(store, reversed(documents))
        assert_identical(answers(store, documents), expected(documents))


def test_all_recordings_live_in_one_file(stores):
    documents = [pair for source in SOURCES for pair in recorded(source)]
    for store in stores:
        _deliver(store, documents)
        assert store.count(Everything()) == len(expected(documents)["runs"])
    assert_same_answers(stores[1], stores[0], documents)
