"""Rows that somebody sends to be stored do not grow: a few kilobytes stay a few kilobytes."""

import pyarrow as pa
import pytest

from databroker.columns import from_rows
from databroker.errors import InvalidRequest
from databroker.stores.wire.calls import CALLS

MANY = 10**6


def asked(batch, **options):
    """Return the rows that a request to insert some has, once they have come."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_batch(batch)
    body = {"kind": "datum", "owner": "r", "batches": [sink.getvalue().to_pybytes()]}
    [came] = CALLS["insert_batches"].unpack(body)["batches"]
    return came


def test_rows_with_all_kinds_of_values_come_as_they_are():
    values = [1, 2.5, True, "text", None, [1, 2], [[1.5], [2.5]], {"a": 1}, 2**80, b"".hex(), []]
    rows = [{"datum_id": f"d/{n}", "datum_kwargs": {"a": each}} for n, each in enumerate(values)]
    batch = from_rows("datum", rows)
    assert asked(batch) == batch
    for row in rows:
        assert asked(from_rows("datum", [row, row])).num_rows == 2


RUNS_OF_ONE = pa.RunEndEncodedArray.from_arrays(pa.array([MANY], pa.int32()), pa.array(["d/0"]))
ONE_OF_A_DICTIONARY = pa.array(["d" * 100] * 100).dictionary_encode()
GROWING = {
    "dictionary": ONE_OF_A_DICTIONARY,
    "nothing": pa.nulls(MANY),
    "runs of one value": RUNS_OF_ONE,
    "lists of nothing": pa.FixedSizeListArray.from_arrays(pa.nulls(MANY), MANY),
    "views": pa.array(["d" * 100], pa.string_view()),
    "values without bytes": pa.array([b""] * 10, pa.binary(0)),
}


@pytest.mark.parametrize("column", GROWING.values(), ids=GROWING)
def test_what_says_much_with_few_bytes_is_refused(column):
    with pytest.raises(InvalidRequest, match=r"bytes|type"):
        asked(pa.record_batch({"datum_id": column}))


@pytest.mark.parametrize(
    "column", [pa.array(["d" * MANY]), ONE_OF_A_DICTIONARY], ids=["text", "dictionary"]
)
@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_compressed_rows_are_refused_before_they_are_read(column, compression):
    with pytest.raises(InvalidRequest, match="compressed"):
        asked(pa.record_batch({"datum_id": column}), compression=compression)


@pytest.mark.parametrize("odd", [5, b"", b"\xff\xff\xff\xff\x08\0\0\0" + b"\xff" * 8, b"text"])
def test_what_is_no_stream_of_rows_is_refused(odd):
    body = {"kind": "datum", "owner": "r", "batches": [odd]}
    with pytest.raises(InvalidRequest, match="Arrow"):
        CALLS["insert_batches"].unpack(body)
