"""The stores of files pass the conformance suite."""

import itertools
import json
from pathlib import Path

import msgpack
import pytest

from databroker.stores.files import JSONLStore, MsgpackStore
from databroker.testing import StoreConformance
from databroker.testing.conformance.external import External
from databroker.testing.conformance.hostile_values import OddInput
from databroker.testing.conformance.other_processes import OtherProcesses
from databroker.testing.conformance.roundtrip import Keeping
from databroker.testing.conformance.rows import Rows
from helpers.few_documents import FewDocuments


def _unpacker(path):
    unpacker = msgpack.Unpacker()
    unpacker.feed(path.read_bytes())
    return unpacker


class OnFiles:
    store_class = JSONLStore

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.paths = (tmp_path / f"{number}" for number in itertools.count())

    def open_store(self):
        return self.store_class(next(self.paths))

    def open_read_only(self, store):
        return self.store_class(store._places.paths[0], read_only=True)


class TestJSONLStore(OnFiles, StoreConformance):
    def many(self, number):
        return min(number, 60 + number // 20)  # each run is a file

    def some(self, questions):
        return questions[::3]  # which the index is asked, as SQLite is

    def raw(self, store):
        files = Path(store._places.folder).glob("*.jsonl")
        firsts = [json.loads(path.read_text().partition("\n")[0]) for path in files]
        return {doc["uid"] for _, doc in firsts}


class TestMsgpackStore(OnFiles, FewDocuments, Keeping, Rows, External, OddInput, OtherProcesses):
    """What is written and read; how runs are found, told apart and locked is as above."""

    store_class = MsgpackStore
    test_two_processes_write_runs_of_their_own_while_readers_read = None
    test_one_run_delivered_by_two_processes_at_once_is_kept_once = None
    test_two_processes_write_one_stream = None

    def raw(self, store):
        files = Path(store._places.folder).glob("*.msgpack")
        firsts = [next(_unpacker(path)) for path in files]
        return {doc["uid"] for _, doc in firsts}
