"""Rows on their way: each batch is an Arrow IPC stream of its own, as bytes among the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._util.lazy import lazy_module
from ..._util.signals import not_from_signal
from ..contents import StoredRun
from ..many import Alike, RunsPage
from ..rows import Extent
from .codecs import EXTENT, PAIR, Codec, Plain

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = lazy_module("pyarrow")


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of one owner are, and the rows of these extents where they are few.

    Attributes
    ----------
    extents
        As `Store.extents` gives them.
    batches
        For each of them, the batches that `Store.read` yields for all columns; None where rows
        are many.
    """

    extents: list[Extent]
    batches: list[list[pa.RecordBatch]] | None = None


def unpack_batch(data: Plain) -> pa.RecordBatch:
    """Return a batch from its bytes, which may come from anywhere.

    Raises
    ------
    ValueError
        They are no batch.
    """
    if not isinstance(data, bytes):
        raise ValueError("rows are an Arrow IPC stream, as bytes")
    try:
        with pa.ipc.open_stream(data) as stream:
            batch = stream.read_next_batch()
        batch.validate(full=True)
    except not_from_signal(pa.ArrowException, OSError, StopIteration) as error:
        raise ValueError(f"rows are no Arrow IPC stream: {error}") from error
    return batch


def _pack_batch(batch: pa.RecordBatch, compression: str | None) -> memoryview:
    options = pa.ipc.IpcWriteOptions(compression=compression, use_threads=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return memoryview(sink.getvalue())


class _Codecs:
    """The codecs of what has rows in it, which are compressed in one way, or not."""

    def __init__(self, compression: str | None, compressed: _Codecs | None = None) -> None:
        self._compression = compression

        def codec(name: str, description: str, schema: dict[str, Any]) -> Codec:
            smaller = None if compressed is None else getattr(compressed, name)
            methods = getattr(self, f"_pack_{name}"), getattr(self, f"_unpack_{name}")
            return Codec(description, schema, *methods, compressed=smaller)

        an_array = {"type": "array"}
        self.batch = codec(
            "batch", "rows: an Arrow IPC stream", {"type": "string", "format": "binary"}
        )
        self.batches = codec("batches", "rows: a list of Arrow IPC streams", an_array)
        self.rows = codec("rows", "where rows are, and few rows themselves", an_array)
        self.run = codec(
            "run", "a run: start, stop, linked documents, extents, and perhaps rows", an_array
        )
        self.page = codec(
            "page", "one stream of some runs: uids, those that are alike, those apart", an_array
        )

    def _pack_batch(self, batch: pa.RecordBatch) -> Plain:
        return _pack_batch(batch, self._compression)

    _unpack_batch = staticmethod(unpack_batch)

    def _pack_batches(self, batches: Iterable[pa.RecordBatch]) -> Plain:
        return [self._pack_batch(batch) for batch in batches]

    @staticmethod
    def _unpack_batches(parts: Plain) -> list[pa.RecordBatch]:
        return [unpack_batch(part) for part in parts]

    def _pack_rows(self, rows: Rows) -> Plain:
        batches = None if rows.batches is None else list(map(self._pack_batches, rows.batches))
        return [[EXTENT.pack(each) for each in rows.extents], batches]

    def _unpack_rows(self, parts: Plain) -> Rows:
        extents, batches = parts
        found = None if batches is None else list(map(self._unpack_batches, batches))
        return Rows([EXTENT.unpack(each) for each in extents], found)

    def _pack_run(self, run: StoredRun) -> Plain:
        batches = run.batches
        owners = [
            [*owner, [EXTENT.pack(each) for each in extents]]
            for owner, extents in run.extents.items()
        ]
        rows = batches and [
            [*owner, self._pack_batches(several)] for owner, several in batches.items()
        ]
        return [run.start, run.stop, [PAIR.pack(each) for each in run.linked], owners, rows]

    def _unpack_run(self, parts: Plain) -> StoredRun:
        start, stop, linked, owners, rows = parts
        extents = {
            (kind, uid): [EXTENT.unpack(each) for each in several] for kind, uid, several in owners
        }
        batches = (
            None
            if rows is None
            else {(kind, uid): self._unpack_batches(several) for kind, uid, several in rows}
        )
        return StoredRun(start, stop, [PAIR.unpack(each) for each in linked], extents, batches)

    def _pack_page(self, page: RunsPage) -> Plain:
        alike = [
            [each.runs, each.data_keys, each.sizes, each.batch and self._pack_batch(each.batch)]
            for each in page.alike
        ]
        return [page.runs, alike, page.apart]

    def _unpack_page(self, parts: Plain) -> RunsPage:
        runs, alike, apart = parts
        found = [
            Alike(uids, keys, sizes, None if rows is None else unpack_batch(rows))
            for uids, keys, sizes, rows in alike
        ]
        return RunsPage(runs, found, apart)


_CODECS = _Codecs(None, _Codecs("zstd"))

BATCH, BATCHES, ROWS = _CODECS.batch, _CODECS.batches, _CODECS.rows
RUN, RUNS_PAGE = _CODECS.run, _CODECS.page
