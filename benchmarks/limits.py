"""The least that the same answers need: plain SQLite, plain Arrow, nothing around them."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

ROWS_A_BLOB = 65_536


def connect(path: str | Path) -> sqlite3.Connection:
    """Open a plain database: WAL, NORMAL, pages of 8 KiB, the cache and mapping that ours has."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA page_size = 8192")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -16384")
    connection.execute("PRAGMA mmap_size = 268435456")
    return connection


class Commits:
    """Commits of blobs of 300 bytes, one by one."""

    def __init__(self, path: Path, size: int = 300) -> None:
        self._connection = connect(path)
        self._connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        self._random = random.Random(1)
        self._size = size

    def blobs(self, count: int) -> list[bytes]:
        """Random blobs, made beforehand."""
        return [self._random.randbytes(self._size) for _ in range(count)]

    def write(self, blobs: list[bytes]) -> None:
        """Commit each blob by itself."""
        execute = self._connection.execute
        for blob in blobs:
            execute("INSERT INTO rows (body) VALUES (?)", (blob,))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class Blobs:
    """Arrow IPC streams in one plain table."""

    def __init__(self, path: str | Path) -> None:
        self._connection = connect(path)
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS blobs (id INTEGER PRIMARY KEY, body BLOB NOT NULL)"
        )

    def write_page(self, page: dict[str, Any]) -> None:
        """Commit an event page: look at the types of its values, then Arrow, IPC, one insert."""
        columns = {"uid": page["uid"], "seq_num": page["seq_num"], "time": page["time"]}
        for outer in ("data", "timestamps"):
            columns.update({f"{outer}/{name}": page[outer][name] for name in page[outer]})
        self.write(columns)

    def write(self, columns: dict[str, list[Any]]) -> None:
        """Commit columns of Python values, each of one type."""
        import pyarrow as pa

        arrays = {}
        for name, values in columns.items():
            kind = _TYPES[next(iter(set(map(type, values))))]
            arrays[name] = pa.array(values, getattr(pa, kind)())
        self._insert(pa.RecordBatch.from_pydict(arrays))

    def write_arrays(self, arrays: dict[str, Any]) -> None:
        """Commit NumPy arrays of one length, in blobs of a few megabytes."""
        import pyarrow as pa

        batch = pa.RecordBatch.from_pydict(arrays)
        for first in range(0, batch.num_rows, ROWS_A_BLOB):
            self._insert(batch.slice(first, ROWS_A_BLOB))

    def table(self) -> Any:
        """All blobs as one table, indexed by seq_num, its time as stamps."""
        import pyarrow as pa

        rows = self._connection.execute("SELECT body FROM blobs ORDER BY id").fetchall()
        batches = [pa.ipc.open_stream(pa.py_buffer(row[0])).read_next_batch() for row in rows]
        frame = pa.Table.from_batches(batches).to_pandas()
        frame["time"] = (frame["time"].to_numpy() * 1e9).astype("datetime64[ns]")
        return frame.set_index("seq_num")

    def checkpoint(self) -> None:
        """Move the log into the file."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _insert(self, batch: Any) -> None:
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        body = memoryview(sink.getvalue())
        self._connection.execute("INSERT INTO blobs (body) VALUES (?)", (body,))


_TYPES = {float: "float64", int: "int64", str: "string", bool: "bool_"}


def blobs_of(frame: Any, path: str | Path) -> None:
    """Write a table as it was loaded into a plain file."""
    blobs = Blobs(path)
    seconds = frame["time"].to_numpy().astype("int64") / 1e9
    arrays = {"seq_num": frame.index.to_numpy(), "time": seconds}
    arrays.update({name: frame[name].to_numpy() for name in frame.columns if name != "time"})
    blobs.write_arrays(arrays)
    blobs.checkpoint()
    blobs.close()
