"""The digest of rows tells of their values, not of how they are stored."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker.columns import from_rows, to_rows
from databroker.columns.batches import gathered
from databroker.columns.digest import RowsDigest
from databroker.documents.kinds import OWNER
from databroker.testing import strategies
from databroker.testing.conformance.base import quick
from databroker.testing.reference import singles

UID = "0b0a1e2c-62f5-4b4b-8a3b-6f6a6f1f0a{:02x}"


def digest(batches):
    found = RowsDigest()
    for batch in batches:
        found.add(batch)
    return found.digest()


def cut(rows, places):
    """Rows as batches that end at some places."""
    ends = sorted({0, len(rows), *(place % (len(rows) + 1) for place in places)})
    return [from_rows("event", rows[first:stop]) for first, stop in itertools.pairwise(ends)]


@quick(40)
@given(documents=strategies.runs(), places=st.lists(st.integers(0, 50), max_size=4))
def test_any_rows_have_one_digest_however_they_are_cut(documents, places):
    owned = {}
    for kind, doc in singles(documents):
        if kind == "event":
            owned.setdefault(doc[OWNER[kind]], {})[doc["uid"]] = doc
    for rows in map(list, map(dict.values, owned.values())):
        whole = from_rows("event", rows)
        assert digest(cut(rows, places)) == digest([whole])
        again = from_rows("event", to_rows("event", rows[0]["descriptor"], whole))
        assert digest(gathered(cut(rows, places), 2_000)) == digest([again])


def row(**data):
    return {"uid": "a", "seq_num": 1, "time": 1.0, "descriptor": "d", "data": data}


VALUES = [
    *(1, 1.0, True, "1", None, [1], [1.0], [[1]], 2**70, "", 0.0, -0.0, float("nan")),
    *(np.array([1]), np.array([1.0]), np.array([[1]]), {"x": 1}, {}),
    *(UID.format(0), UID.format(1), UID.format(0).upper()),
]
DIFFERENT = [
    *(row(x=value) for value in VALUES),
    *(row(), row(y=1), row(x=1, y=1), row(y=1, x=1)),
    *(row(x=1) | {"note": 1}, row() | {"data": None}),
]


def test_rows_that_differ_have_different_digests():
    one_each = [digest([from_rows("event", [each])]) for each in DIFFERENT]
    assert len(set(one_each)) == len(DIFFERENT)
    ends = [digest([from_rows("event", [row(x=1.5), each, row(x=1.5)])]) for each in DIFFERENT]
    assert len(set(ends)) == len(DIFFERENT)


@pytest.mark.parametrize("values", [(1, 2.0), ("ab", "c"), (None, 1.0), (UID.format(0), "c")])
def test_the_order_of_rows_counts(values):
    rows = [row(x=value) for value in values]
    assert digest([from_rows("event", rows)]) != digest([from_rows("event", rows[::-1])])


def test_texts_do_not_run_into_each_other():
    one, two = ([row(x=text) for text in texts] for texts in (("ab", "c"), ("a", "bc")))
    assert digest([from_rows("event", one)]) != digest([from_rows("event", two)])
