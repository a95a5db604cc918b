"""A store of another package opens like ours, and passes the suite that ships."""

import itertools
import struct

import pytest

pytest.importorskip("fcntl")

from databroker import Broker
from databroker.documents.encode import decode
from databroker.stores.registry import open_store
from databroker.testing import StoreConformance


class TestJournalStore(StoreConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.paths = (tmp_path / f"{number}.journal" for number in itertools.count())

    def open_store(self):
        return open_store("journal", path=next(self.paths))

    def open_read_only(self, store):
        return open_store("journal", path=store.path, read_only=True)

    def many(self, number):
        return min(number, 19)

    def many_rows(self, number):
        return min(number, 71)

    def some(self, questions):
        return questions[::5]

    def raw(self, store):
        content, uids = store.path.read_bytes(), set()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            kind, doc = decode(content[8 : 8 + length])
            uids |= {doc["uid"]} if kind == "start" else set()
            content = content[8 + length :]
        return uids


def test_a_broker_opens_it_by_its_name(tmp_path):
    mapping = {"driver": "journal", "path": str(tmp_path / "runs.journal")}
    with Broker.from_config(mapping) as db:
        db.insert("start", {"uid": "a", "time": 1.0})
    with Broker.from_config(mapping) as db:
        assert db[-1].uid == "a"
