"""A few bytes that stand for very many values are not made these; and what no document has."""

import json

import numpy as np
import pytest

from databroker.documents.encode import decode, describe_dtype, encode, restore_dtype
from databroker.documents.normalise import normalise
from databroker.errors import RequestTooLarge
from databroker.server import Limits
from databroker.server.decoding import decoded
from databroker.stores.memory import MemoryStore
from helpers.serving import served

MILLION = 10**6


@pytest.mark.parametrize(
    ("body", "is_json"),
    [
        (encode([[]] * MILLION), False),
        (encode([{}] * MILLION), False),
        (encode([[0] * 5 * MILLION] * 2), False),
        (b"\xdd" + (11 * MILLION).to_bytes(4, "big") + b"\0" * 11 * MILLION, False),
        (b"[" + b"[]," * MILLION + b"1]", True),
        (b"[" + b"{}," * MILLION + b"1]", True),
        (b"[" + b"1," * 10 * MILLION + b"1]", True),
    ],
    ids=["lists", "dictionaries", "items", "length", "JSON lists", "JSON objects", "JSON items"],
)
def test_more_values_than_a_request_has_are_not_made(body, is_json):
    with pytest.raises(
        (RequestTooLarge, ValueError), match=r"values at most|exceeds max_array_len"
    ):
        decoded(body, is_json)


def test_what_is_large_and_has_fewer_is_read():
    plain = {"uids": ["b2c1"] * 500_000, "of": [{"data": [1.5] * 100}] * 2_000}
    assert decoded(encode(plain), False) == plain
    assert decoded(json.dumps(plain).encode(), True) == plain
    [array] = decoded(encode([np.arange(MILLION)]), False)
    assert array.sum() == np.arange(MILLION).sum()


def test_a_key_that_is_no_text_is_refused():
    # Integers can be chosen so that a dictionary of them takes for ever.
    for key in (1, 2**80, None, 1.5):
        with pytest.raises(ValueError, match=r"not an encoded document|is not allowed for map key"):
            decoded(encode({"a": {key: 1}}), False)


def test_a_dtype_whose_description_is_a_book_is_not_read():
    with pytest.raises(ValueError, match="65536 characters"):
        restore_dtype("[" + "1," * 2**15 + "]")
    fields = [(f"field {number}", "<f8") for number in range(5_000)]
    doc, changes = normalise({"table": np.ones(3, fields)})
    assert changes == ["table (array of 5000 fields) as dict"]
    assert len(doc["table"]) == 5_000
    assert decode(encode(doc))["table"]["field 7"].tolist() == [1, 1, 1]
    fewer = np.ones(3, fields[:1_000])
    assert restore_dtype(describe_dtype(fewer.dtype)) == fewer.dtype
    assert normalise({"table": fewer})[1] == []


def test_a_question_is_smaller_than_what_is_inserted():
    limits = Limits(question_bytes=1_000, request_bytes=10_000)
    large = {"kind": "start", "doc": {"uid": "a", "time": 1.0, "note": "x" * 5_000}}
    with served(MemoryStore(), limits) as server:
        assert server.post("insert", content=encode(large)).status_code == 200
        answer = server.post("resolve", content=encode({"prefix": "x" * 5_000, "limit": 5}))
        assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")
