"""Documents become what MongoDB takes, and come out as they went in."""

import bson
from hypothesis import given, settings
from hypothesis import strategies as st

from databroker.documents.accept import accept
from databroker.documents.encode import same
from databroker.documents.kinds import OWNER
from databroker.stores.mongo.documents import Packed, unpack_document, unpack_row
from databroker.testing import strategies
from databroker.testing.reference import singles


def through_bson(kind, document):
    stored = bson.decode(bson.encode({"_id": bson.ObjectId(), **Packed(kind, document).document}))
    return unpack_row(kind, stored) if kind in OWNER else unpack_document(stored)


@settings(max_examples=120)
@given(run=strategies.runs())
def test_any_document_of_any_run(run):
    for kind, document in singles(run):
        assert same(through_bson(kind, document), document)
        assert list(through_bson(kind, document)) == list(document)


@given(st.integers(90, 150))
def test_documents_deeper_than_mongodb_takes(depth):
    value = 5
    for level in range(depth):
        value = {"in": value} if level % 2 else [value]
    document, _ = accept("start", {"uid": "a", "time": 1.0, "deep": value})
    assert same(through_bson("start", document), document)
