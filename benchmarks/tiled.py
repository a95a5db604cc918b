"""A Tiled server asked through our store, and in turns by Tiled's own client.

The server is on this machine, and most of the time is its own. How many requests ours takes is
told.

    python -m benchmarks.tiled
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from unittest import mock

from databroker import Broker
from databroker.stores.tiled.server import Server

from . import harness
from .data import Scan
from .harness import Row

if TYPE_CHECKING:
    from tests.helpers.tiled_server import TiledServer

_RUN = [{"name": "BlueskyRun", "version": "3.0"}]


@contextmanager
def served() -> Iterator[tuple[TiledServer, Any]]:
    """A Tiled server, and a client of it."""
    from tests.helpers.tiled_server import KEY, TiledServer
    from tiled.client import from_uri

    with harness.folder() as folder, closing(TiledServer(folder)) as server:
        server.begin()
        server.wait()
        client = from_uri(server.uri, api_key=KEY)
        with closing(client.context.http_client):
            yield server, client


@contextmanager
def opened(uri: str) -> Iterator[Broker]:
    """A broker of a catalog on the server."""
    from tests.helpers.tiled_server import KEY

    with Broker.from_config({"driver": "tiled", "uri": uri, "api_key": KEY}) as db:
        yield db


def tables(server: TiledServer, client: Any, events: int, repeat: int) -> Iterator[Row]:
    """The table of one run, which Tiled's writer wrote, and one column of it."""
    from tests.helpers.tiled_server import Writing

    uri, scan = server.new_catalog(), Scan(0)
    writing = Writing(catalog := client[uri.rpartition("/")[2]])
    for kind, doc in scan.opening():
        writing(kind, doc)
    for first in range(0, events, 1000):
        writing("event_page", scan.page(min(1000, events - first)))
    writing("stop", scan.stop())
    size = f"{harness.number(events)} x 4"
    with opened(uri) as db:
        yield _row(
            "Tiled: a table",
            size,
            lambda: db[scan.uid].table(),
            lambda: catalog[scan.uid, "primary", "internal"].read(),
            repeat,
        )
        yield _row(
            "Tiled: one column of it",
            size,
            lambda: db[scan.uid].table(fields=["det0"]),
            lambda: catalog[scan.uid, "primary", "internal"].read(["seq_num", "time", "det0"]),
            repeat,
        )


def listing(server: TiledServer, client: Any, count: int, repeat: int) -> Iterator[Row]:
    """The start documents of many runs, newest first."""
    uri = server.new_catalog()
    name = uri.rpartition("/")[2]
    for seed in range(count):
        scan = Scan(seed)
        server.put([name], scan.uid, {"start": scan.start(), "stop": scan.stop()}, _RUN)
    catalog = client[name]
    with opened(uri) as db:
        yield _row(
            "Tiled: all runs",
            harness.number(count),
            lambda: [run.start for run in db()],
            lambda: [run.metadata["start"] for run in catalog.sort(("start.time", -1)).values()],
            repeat,
        )


def requests(work: Callable[[], object]) -> int:
    """How many requests some work takes."""
    send = Server._send
    with mock.patch.object(Server, "_send", autospec=True, side_effect=send) as asked:
        work()
    return asked.call_count


def _row(
    what: str, size: str, ours: Callable[[], Any], bare: Callable[[], Any], repeat: int
) -> Row:
    assert len(ours()) == len(bare())
    took, least = harness.side_by_side(ours, bare, repeat)
    note = f"limit: Tiled's client; {requests(ours)} requests"
    return Row(what, size, took, limit=least, note=note)


def rows(full: bool = False) -> Iterator[Row]:
    """Measure, where Tiled is installed."""
    if find_spec("bluesky_tiled_plugins") is None:
        return
    with served() as (server, client):
        yield from tables(server, client, 100_000, repeat=9)
        yield from listing(server, client, 1000, repeat=9)


if __name__ == "__main__":
    harness.script(rows, __doc__)
