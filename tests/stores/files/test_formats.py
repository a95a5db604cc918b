"""JSON lines and MessagePack: what is written is read, also by the libraries of others."""

import gzip
import json

import msgpack
import msgpack_numpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker.documents.encode import same
from databroker.documents.files.formats import decompressed, is_plain
from databroker.documents.files.jsonl import JSONLines
from databroker.documents.files.packed import Packed
from databroker.testing import assert_identical, values
from databroker.testing.conformance.base import event, quick, start, stop

FORMATS = [JSONLines(), Packed()]
RUN = [("start", start()), ("event", event(1)), ("stop", stop())]


def written(format, documents):
    return b"".join(format.encode(*pair) for pair in documents)


def read(format, data, **more):
    parsed = format.parse(data, 0, **more)
    return [(item.kind, item.document) for item in parsed.items]


@quick(80)
@given(value=values.values())
def test_any_value_is_read_as_it_was_written(value):
    document = start(value=value)
    (exact,) = read(Packed(), Packed().encode("start", document))
    assert_identical(list(exact), ["start", document])
    line = JSONLines().encode("start", document)
    assert line.count(b"\n") == 1
    (found,) = read(JSONLines(), line)
    assert same(list(found), ["start", document])


@pytest.mark.parametrize(
    "value",
    [{"__exact__": "gQ=="}, {"__exact__": 5}, [{"__exact__": "no"}, 10**5000], {"a": "__exact__"}],
    ids=range(4),
)
def test_what_looks_like_a_mark_of_ours_is_kept(value):
    (found,) = read(JSONLines(), JSONLines().encode("start", start(value=value)))
    assert found == ("start", start(value=value))


def nested(levels):
    return {"a": nested(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    ("value", "is_plain"),
    [([1, 2.5, None, "x"], True), (nested(20), True), (nested(80), False), (b"bytes", False)],
    ids=range(4),
)
def test_of_msgpack_it_is_known_what_is_plain(value, is_plain):
    packed = msgpack.packb(["start", {"value": value}])
    (item,) = Packed().parse(packed, 0).items
    assert item.document == {"value": value}
    assert item.is_plain is is_plain


def test_keys_that_are_numbers_are_read():
    (item,) = Packed().parse(msgpack.packb(["start", {"value": {1: 2}}]), 0).items
    assert item.document == {"value": {1: 2}}
    assert not item.is_plain


def test_others_read_what_we_write():
    document = start(array=np.arange(6.0).reshape(2, 3), mixed=[1, None, "a", {"b": 2.5}])
    kind, found = json.loads(JSONLines().encode("start", document))
    assert same([kind, found], ["start", document])
    packed = Packed().encode("start", document)
    kind, found = msgpack.unpackb(packed, object_hook=msgpack_numpy.decode)
    assert_identical([kind, found], ["start", document])


RECORD = np.array([(1, 2.5)], [("n", "i4"), ("x", "f8")])


@pytest.mark.parametrize("value", [np.ones((2, 2), ">f4"), np.float32(0.5), RECORD, 1 + 2j])
def test_we_read_what_msgpack_numpy_writes(value):
    packed = msgpack.packb(["start", {"value": value}], default=msgpack_numpy.encode)
    ((_, found),) = read(Packed(), packed)
    assert_identical(found["value"], value)


def test_objects_of_python_are_not_made():
    packed = msgpack.packb(
        ["start", {"value": np.array([{}], object)}], default=msgpack_numpy.encode
    )
    parsed = Packed().parse(packed, 0)
    assert parsed.items == []
    assert "Python objects" in parsed.faults[0].text


@pytest.mark.parametrize(
    "text", [b"NaN", b"-Infinity", b'"\\ud800"', b"18446744073709551616", b"1e400"]
)
def test_json_that_is_not_for_every_parser_is_read(text):
    (_, found), *_ = read(JSONLines(), b'["start", {"value": ' + text + b"}]\n")
    assert same(found["value"], json.loads(text))


@pytest.mark.parametrize("format", FORMATS, ids=lambda each: each.name)
def test_kinds_that_are_not_wanted_are_passed_over_and_counted(format):
    data = written(format, RUN)
    parsed = format.parse(data, 10, {"event"})
    assert [(item.number, item.kind) for item in parsed.items] == [(11, "start"), (13, "stop")]
    assert (parsed.consumed, parsed.last) == (len(data), 13)


@pytest.mark.parametrize("format", FORMATS, ids=lambda each: each.name)
@given(data=st.data())
def test_of_a_file_that_is_cut_anywhere_whole_documents_are_read(format, data):
    whole = written(format, RUN)
    ends = [len(written(format, RUN[:number])) for number in range(len(RUN) + 1)]
    cut = data.draw(st.integers(0, len(whole)))
    parsed = format.parse(whole[:cut], 0)
    found = [(item.kind, item.document) for item in parsed.items]
    there = sum(end - format.has_lines <= cut for end in ends[1:])  # the last may lack its end
    assert found == RUN[:there]
    assert parsed.faults == []
    again = format.parse(whole[parsed.consumed :], parsed.last)
    assert found + [(item.kind, item.document) for item in again.items] == RUN


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"[1, 2]", b'["start", 5]', b'["no", {}]', b"\x00\x00", b"\xff"]
)
def test_a_damaged_line_is_told_and_the_others_are_read(line):
    data = written(JSONLines(), RUN[:1]) + line + b"\n\n" + written(JSONLines(), RUN[1:])
    parsed = JSONLines().parse(data, 0)
    assert [(item.kind, item.document) for item in parsed.items] == RUN
    assert [fault.number for fault in parsed.faults] == [2]
    assert parsed.last == 5


@pytest.mark.parametrize("object", [5, [1], ["no", {}], {"a": 1}, msgpack.ExtType(70, b"")])
def test_after_a_damaged_document_of_msgpack_nothing_is_read(object):
    data = written(Packed(), RUN[:1]) + msgpack.packb(object) + written(Packed(), RUN[1:])
    parsed = Packed().parse(data, 0)
    assert [(item.kind, item.document) for item in parsed.items] == RUN[:1]
    assert [fault.number for fault in parsed.faults] == [2]
    assert parsed.is_broken


def test_a_compressed_file_is_read_as_far_as_it_can_be():
    data = written(JSONLines(), RUN * 100)
    packed = gzip.compress(data) + gzip.compress(b"more\n")
    assert decompressed(packed) == (data + b"more\n", len(packed), None)
    half = decompressed(packed[: len(packed) // 2])
    assert half.data
    assert data.startswith(half.data)
    assert (half.whole, half.fault) == (0, None)
    assert decompressed(packed + bytes(100)).fault is None
    assert decompressed(packed[:-9] + b"?" + packed[-8:]).data == data
    assert "damaged" in decompressed(packed[:-9] + b"?" + packed[-8:]).fault
    assert "damaged" in decompressed(b"no gzip").fault


def test_plain_is_what_json_has_and_no_more():
    assert is_plain({"a": [1, 2.5, None, True, "x", [{}], []]})
    deep = []
    for _ in range(300):
        deep = [deep]
    for odd in (np.zeros(2), b"x", (1,), {1: 2}, deep, np.float64(1)):
        assert not is_plain({"a": [{"b": odd}]})
