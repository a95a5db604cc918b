"""Many small runs as one table, from SQLite and from PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec

import pandas as pd
import pyarrow as pa

from databroker import Broker

from . import harness
from .data import Doc, Scan
from .harness import Row

Stored = tuple[Broker, Callable[[], list[bytes]]]

EVENTS = 5
_BLOBS = "SELECT data FROM segments ORDER BY id"


def documents(count: int) -> Iterator[tuple[str, Doc]]:
    """The documents of so many runs."""
    for seed in range(count):
        scan = Scan(seed)
        yield from scan.opening()
        for event in scan.events(EVENTS):
            yield "event", event
        yield "stop", scan.stop()


@contextmanager
def in_sqlite() -> Iterator[Stored]:
    """An empty broker, and how its blobs are read past it."""
    with harness.folder() as folder:
        path = str(folder / "runs.db")
        config = {"driver": "sqlite", "path": path}
        with Broker.from_config(config) as db, closing(sqlite3.connect(path)) as raw:
            yield db, lambda: [blob for (blob,) in raw.execute(_BLOBS)]


@contextmanager
def in_postgresql() -> Iterator[Stored]:
    """The same on a server."""
    import psycopg
    from tests.helpers.postgresql import address, new_schema

    with address() as server, new_schema(server) as schema:
        config = {"driver": "postgresql", "uri": server, "schema": schema}
        with Broker.from_config(config) as db, psycopg.connect(server, autocommit=True) as raw:
            raw.execute(f"SET search_path = {schema}")
            cursor = raw.cursor(binary=True)
            yield db, lambda: [blob for (blob,) in cursor.execute(_BLOBS)]


def decoded(blobs: list[bytes]) -> pd.DataFrame:
    """What blobs hold, as one frame."""
    readers = (pa.ipc.open_stream(pa.py_buffer(blob)) for blob in blobs)
    return pa.Table.from_batches([reader.read_next_batch() for reader in readers]).to_pandas()


def together(place: str, stored: Stored, count: int, target: float, repeat: int) -> Iterator[Row]:
    """One frame of all runs; its raw limit, and pandas' where it is given all tables."""
    db, blobs = stored
    db.store.insert_many(documents(count))
    size = f"{count} x {EVENTS}"
    took, least = harness.side_by_side(lambda: db().table(), lambda: decoded(blobs()), repeat)
    unit = "ms a run"
    yield Row(
        f"table of many runs, {place}",
        size,
        took / count,
        unit,
        limit=least / count,
        target=target,
        note="limit: the same blobs read and decoded, each by itself",
    )
    ready = [table for _, table in db().tables()]
    joined = harness.median_ms(lambda: pd.concat(ready), repeat)
    yield Row(
        f"table of many runs, {place}",
        size,
        took / count,
        unit,
        limit=joined / count,
        note="limit: pandas.concat of tables that are ready",
    )
    headers = list(db())
    single = harness.median_ms(lambda: [each.table() for each in headers[:200]], 1)
    took = harness.median_ms(lambda: db.get_table(headers), repeat)
    yield Row(
        f"get_table of many headers, {place}",
        size,
        took / count,
        unit,
        limit=single / min(count, 200),
        target=target,
        note="limit: header.table() of one",
    )


def rows(full: bool = False, count: int | None = None, repeat: int = 5) -> Iterator[Row]:
    """All measurements of this script."""
    count = count or (10_000 if full else 2_000)
    with in_sqlite() as stored:
        yield from together("SQLite", stored, count, 0.2, repeat)
    if find_spec("psycopg") is None:
        return
    with in_postgresql() as stored:
        yield from together("PostgreSQL", stored, count, 0.4, repeat)


if __name__ == "__main__":
    harness.script(rows, __doc__)
