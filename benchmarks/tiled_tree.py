"""Runs of ours that a Tiled server shows, beside the same in a catalog of Tiled's own.

Both are asked by Tiled's client, as programs that are written for it do. Each is a server of its
own on this machine.

    python -m benchmarks.tiled_tree
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import Any

from databroker import Broker

from . import harness
from .data import Scan, write
from .harness import Row
from .tiled import served

_CONFIGURATION = """
authentication: {{single_user_api_key: {key}}}
trees:
  - path: /
    tree: databroker.tiled:tree
    args: {{name: {path}}}
"""
_SMALL, _LARGE = 10, 100_000  # events


@contextmanager
def shown(scans: dict[str, int]) -> Iterator[Any]:
    """A client of runs of ours, each with so many events."""
    from tests.helpers.tiled_server import CONFIGURED, KEY, TiledServer
    from tiled.client import from_uri

    with harness.folder() as folder:
        path = folder / "runs.db"
        with Broker.from_config({"driver": "sqlite", "path": str(path)}) as db:
            for seed, events in enumerate(scans.values()):
                write(db, Scan(seed), events)
        (folder / "config.yml").write_text(_CONFIGURATION.format(key=KEY, path=path))
        with closing(TiledServer(folder, CONFIGURED)) as server:
            server.begin()
            server.wait()
            client = from_uri(server.uri, api_key=KEY)
            with closing(client.context.http_client):
                yield client


def written(server: Any, client: Any, scans: dict[str, int]) -> Any:
    """Return a catalog of Tiled's own, with the same runs by its writer."""
    from tests.helpers.tiled_server import Writing

    catalog = client[server.new_catalog().rpartition("/")[2]]
    writing = Writing(catalog)
    for seed, events in enumerate(scans.values()):
        scan = Scan(seed)
        for kind, doc in scan.opening():
            writing(kind, doc)
        for first in range(0, events, 1000):
            writing("event_page", scan.page(min(1000, events - first)))
        writing("stop", scan.stop())
    return client[catalog.item["id"]]


def questions(large: str, small: str, column: str) -> dict[str, Callable[[Any], Any]]:
    """Return what is asked of a catalog."""
    from tiled.queries import Eq

    return {
        "newest 20 runs": lambda runs: runs.items()[-1:-21:-1],
        "one by its number": lambda runs: runs.search(Eq("start.scan_id", 3)).values().first(),
        "a small stream": lambda runs: runs[small]["primary"].read(),
        "a large table": lambda runs: runs[large].base["primary/internal"].read(),
        "one column of it": lambda runs: runs[large].base["primary/internal"].read([column]),
    }


def asked(
    ours: Any, theirs: Any, what: dict[str, Callable[[Any], Any]], size: str, repeat: int
) -> Iterator[Row]:
    """Ask both catalogs the same, in turns."""
    for name, ask in what.items():
        took, least = harness.side_by_side(lambda a=ask: a(ours), lambda a=ask: a(theirs), repeat)
        note = "limit: Tiled's own catalog, by the same client"
        yield Row(f"Tiled's client: {name}", size, took, limit=least, note=note)


def rows(full: bool = False) -> Iterator[Row]:
    """Measure, where Tiled is installed."""
    if find_spec("bluesky_tiled_plugins") is None:
        return
    scans = {Scan(seed).uid: _SMALL if seed else _LARGE for seed in range(30)}
    large, small, *_ = scans
    with served() as (server, client), shown(scans) as ours:
        theirs = written(server, client, scans)
        size = f"30 runs, {harness.number(_LARGE)} x 4"
        yield from asked(ours, theirs, questions(large, small, "det0"), size, repeat=9)


if __name__ == "__main__":
    harness.script(rows, __doc__)
