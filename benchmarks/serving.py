"""Runs that `databroker serve` serves, beside the same file opened here.

The server is a process of this machine, reached by a broker of its own over the loopback. How many
requests each question costs is told with it.

    python -m benchmarks.serving
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import numpy as np

from databroker import Broker
from databroker.stores.http import HTTPStore

from . import harness, tiled
from .data import Scan, write
from .harness import Row

SMALL = 5
IMAGE_BYTES = 2 * 1024**2


@contextmanager
def served(events: int) -> Iterator[tuple[Broker, Broker, list[str]]]:
    """A broker of a file, one of its server, and runs: of few events, and of so many."""
    with harness.folder() as folder:
        path = str(folder / "runs.db")
        with Broker.from_config({"driver": "sqlite", "path": path}) as local:
            scans = [Scan(seed) for seed in range(30)]
            for scan in scans:
                write(local, scan, SMALL if scan is not scans[0] else events)
            with asking(path, "--allow-writing") as remote:
                yield remote, local, [scans[1].uid, scans[0].uid]


@contextmanager
def asking(path: str, *options: str) -> Iterator[Broker]:
    """A broker that asks a server of a file."""
    with speaking(command(path, *options)) as uri:
        config = {"driver": "http", "uri": uri, "spill": False}
        with Broker.from_config(config) as remote:
            yield remote


def command(path: str, *options: str) -> list[str]:
    """What serves a file."""
    return [sys.executable, "-m", "databroker", "serve", path, "--port", "0", *options]


@contextmanager
def speaking(command: list[str]) -> Iterator[str]:
    """The first line that a process prints, which is ended afterwards."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # where it says who wrote what
        env=harness.environment(),
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def requests(work: Callable[[], object]) -> int:
    """How many requests some work takes."""
    with mock.patch.object(HTTPStore, "ask", autospec=True, side_effect=HTTPStore.ask) as ask:
        work()
    return ask.call_count


def _row(
    what: str,
    size: str,
    work: Callable[[Broker], object],
    brokers: tuple[Broker, Broker],
    repeat: int,
    target: float | None = None,
    target_ratio: float | None = None,
) -> Row:
    remote, local = brokers
    ours, least = harness.side_by_side(
        lambda: work(remote), lambda: work(local), repeat=repeat, warm_up=3
    )
    note = f"{requests(lambda: work(remote))} requests"
    return Row(what, size, ours, "ms", least, target_ratio, target, note=note)


def reading(events: int, repeat: int) -> Iterator[Row]:
    """Tables, a list of the newest runs, a search."""
    with served(events) as (remote, local, (small, large)):
        brokers = remote, local
        headers = {(db, uid): db[uid] for db in brokers for uid in (small, large)}
        size = f"{events:,}".replace(",", " ")
        yield _row(
            "served: table of a run in hand",
            f"{SMALL}",
            lambda db: headers[db, small].table(),
            brokers,
            5 * repeat,
            target=5.0,
        )
        yield _row(
            "served: table of a run, by its uid",
            f"{SMALL}",
            lambda db: db[small].table(),
            brokers,
            5 * repeat,
        )
        yield _row(
            "served: table of a run in hand",
            f"{size} x 4",
            lambda db: headers[db, large].table(),
            brokers,
            repeat,
            target_ratio=3.0,
        )
        yield _row(
            "served: the newest runs", "20", lambda db: list(db().limit(20)), brokers, 5 * repeat
        )
        yield _row(
            "served: a search counted",
            "30",
            lambda db: db(plan_name="scan").count(),
            brokers,
            5 * repeat,
        )


def beside_tiled(repeat: int) -> Iterator[Row]:
    """The table of a small run, and the same one asked for by Tiled's client of Tiled's server."""
    if find_spec("bluesky_tiled_plugins") is None:
        return
    from tests.helpers.tiled_server import Writing

    with served(SMALL) as (remote, _, (small, _)), tiled.served() as (server, client):
        catalog = client[server.new_catalog().rpartition("/")[2]]
        writing, scan = Writing(catalog), Scan(1)
        for kind, doc in [*scan.opening(), ("event_page", scan.page(SMALL)), ("stop", scan.stop())]:
            writing(kind, doc)

        def theirs() -> Any:
            return catalog[scan.uid, "primary", "internal"].read()

        assert len(theirs()) == len(remote[small].table()) == SMALL
        ours, least = harness.side_by_side(
            lambda: remote[small].table(), theirs, repeat=repeat, warm_up=3
        )
        note = "limit: Tiled's client of its server"
        yield Row(
            "served: table of a run, by its uid", f"{SMALL}", ours, "ms", least, 1.0, note=note
        )


def writing(repeat: int) -> Iterator[Row]:
    """Events one by one."""
    with served(SMALL) as (remote, local, _):
        flows = {}
        for seed, db in enumerate((remote, local), 100):
            scan = Scan(seed)
            write(db, scan, 10, stop=False)
            flows[db] = scan.events(10_000)
        yield _row(
            "served: insert, an event",
            "1",
            lambda db: db.insert("event", next(flows[db])),
            (remote, local),
            20 * repeat,
        )


SENDING = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as door, open(sys.argv[1], "rb") as file:
    print(door.getsockname()[1], flush=True)
    while True:
        to, _ = door.accept()
        with to:
            file.seek(0)
            to.sendfile(file)
"""
"""Sends a file to whoever comes: what a kernel can do."""


def _rate(
    what: str,
    number: int,
    read: Callable[[], object],
    raw: Callable[[], object],
    repeat: int,
    promised: bool = False,
) -> Row:
    """A row of how many images a second come, as bytes; half of what a kernel can do will do."""
    times = harness.side_by_side(read, raw, repeat)
    ours, limit = (number * IMAGE_BYTES / 1e3 / each for each in times)
    target = min(500.0, limit / 2) if promised else None
    note = f"{requests(read)} requests"
    size = f"{number} x 1024²"
    return Row(what, size, ours, "MB/s", limit, target=target, more_is_better=True, note=note)


def images(number: int, repeat: int) -> Iterator[Row]:
    """Images in an HDF5 file, read through the server; beside the file as it is, by sendfile."""
    with (
        harness.folder() as folder,
        Broker.from_config({"driver": "sqlite", "path": str(folder / "runs.db")}) as local,
    ):
        uid = write_images(local, folder / "images.h5", number)
        command = [sys.executable, "-c", SENDING, str(folder / "images.h5")]
        with asking(str(folder / "runs.db")) as remote, speaking(command) as port:
            header, image, whole = remote[uid], bytearray(IMAGE_BYTES), number * IMAGE_BYTES
            yield _rate(
                *("served: images, data()", number),
                lambda: sum(int(each[0, 0]) for each in header.data("img")),
                lambda: receive(port, image),
                repeat,
                promised=True,
            )
            yield _rate(
                *("served: images, an array", number),
                lambda: np.asarray(header.streams["primary"]["img"]),
                lambda: receive(port, np.empty(whole, "u1")),
                repeat,
            )


def write_images(db: Broker, path: Path, number: int) -> str:
    """Write a run of images, and their file; return its uid."""
    noise = np.random.default_rng(0).integers(0, 2**16, (1024, 1024), np.uint16)
    with h5py.File(path, "w") as file:
        images = file.create_dataset("images", (number, 1024, 1024), "u2", chunks=(1, 1024, 1024))
        for place in range(number):
            images[place] = noise + place
    scan = Scan(0)
    key = {"dtype": "array", "shape": [1024, 1024], "source": "sim", "dtype_numpy": "<u2"}
    descriptor = {
        "uid": f"{scan.uid}-d",
        "run_start": scan.uid,
        "time": 1.0,
        "name": "primary",
        "data_keys": {"img": {**key, "external": "STREAM:"}},
    }
    resource = {
        "uid": f"{scan.uid}-r",
        "run_start": scan.uid,
        "data_key": "img",
        "mimetype": "application/x-hdf5",
        "uri": path.as_uri(),
        "parameters": {"dataset": "images"},
    }
    datum = {
        "uid": f"{scan.uid}-r/0",
        "stream_resource": f"{scan.uid}-r",
        "descriptor": f"{scan.uid}-d",
        "indices": {"start": 0, "stop": number},
        "seq_nums": {"start": 1, "stop": number + 1},
    }
    start = {"uid": scan.uid, "time": 1.0}
    for kind, doc in {
        "start": start,
        "descriptor": descriptor,
        "stream_resource": resource,
        "stream_datum": datum,
    }.items():
        db.insert(kind, doc)
    return scan.uid


def receive(port: str, buffer: Any) -> None:
    """Take all that comes from a port; what does not fit takes the place of what came before."""
    view, place = memoryview(buffer), 0
    with socket.create_connection(("127.0.0.1", int(port))) as sender:
        while came := sender.recv_into(view[place:]):
            place = (place + came) % len(view)


def rows(full: bool = False) -> Iterator[Row]:
    """Measure."""
    yield from reading(100_000, repeat=9)
    yield from beside_tiled(repeat=15)
    yield from writing(repeat=9)
    yield from images(1000 if full else 250, repeat=5)


if __name__ == "__main__":
    harness.script(rows, __doc__)
