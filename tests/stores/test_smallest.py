"""A store that has only what the contract asks for passes the suite: all else is made of that."""

import pickle

from databroker.stores.base import Capabilities, Store
from databroker.stores.memory import MemoryStore
from databroker.testing import StoreConformance
from helpers.few_documents import FewDocuments


class SmallestStore(Store):
    """Nothing but the abstract methods, each handed on to a store that is trusted."""

    capabilities = Capabilities(writable=True, exact="exact", live=True)

    def __init__(self):
        super().__init__()
        self._inner = MemoryStore()

    def __reduce__(self):
        return pickle.loads, (pickle.dumps(self._inner),)

    def put(self, kind, doc):
        self._inner.put(kind, doc)

    def find(self, query, *, limit=None, after=None):
        return self._inner.find(query, limit=limit, after=after)

    def documents(self, uid, kinds=("descriptor", "resource", "stream_resource")):
        return self._inner.documents(uid, kinds)

    def extents(self, kind, owner):
        return self._inner.extents(kind, owner)

    def read(self, kind, extent, selection, rows=None):
        return self._inner.read(kind, extent, selection, rows)

    def datum(self, datum_id):
        return self._inner.datum(datum_id)

    def resource(self, uid):
        return self._inner.resource(uid)

    def close(self):
        self._inner.close()


def test_it_has_no_more_than_what_is_abstract():
    own = {name for name in vars(SmallestStore) if not name.startswith("_")} - {"capabilities"}
    assert own == Store.__abstractmethods__


class TestSmallestStore(FewDocuments, StoreConformance):
    def open_store(self):
        return SmallestStore()
