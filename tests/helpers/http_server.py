"""A server of databroker in a process of its own, with as many sources as tests name."""

import os
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from pathlib import Path

import httpx

import databroker

TOKEN = "of the tests alone"


class Sources:
    """An ASGI application in which whatever is named first is made: an SQLite file of this name,
    or a schema in a PostgreSQL database, whose name ends before a dot.
    """

    def __init__(self, place, kept=8):
        self._place, self._kept = place, kept
        self._open = OrderedDict()
        self._lock = threading.Lock()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return
        _, name, _ = scope["path"].split("/", 2)
        inside = self._app(name, "read" not in name)
        await inside(scope | {"path": scope["path"][len(name) + 1 :]}, receive, send)

    def _app(self, name, allow_writing):
        from databroker import Broker
        from databroker.external import Registry
        from databroker.server import Limits, app

        if name not in self._open:
            limits = Limits(request_bytes=2**24)
            store = self._store(name)
            # Where it lets write, it opens no files but those below folders that are named.
            db = Broker(store, registry=Registry(allowed_roots=[os.path.abspath(os.sep)]))
            served = app(db, token=TOKEN, allow_writing=allow_writing, limits=limits)
            self._open[name] = store, served
            if len(self._open) > self._kept:
                self._open.popitem(last=False)[1][0].close()
        self._open.move_to_end(name)
        return self._open[name][1]

    def _store(self, name):
        from databroker.stores.sql import SQLiteStore
        from databroker.stores.sql.postgresql import PostgreSQLStore

        if self._place.startswith("postgresql:"):
            return PostgreSQLStore(self._place, schema=schema_of(name))
        return SQLiteStore(Path(self._place, f"{name}.db"))


class Server:
    """A process that serves `Sources` of a folder, which can be killed and started again.

    In place of the folder may stand the address of a PostgreSQL database; several workers are
    processes of their own.
    """

    def __init__(self, place, workers=1):
        self.place, self.workers = place, workers
        self.port = 0
        self._taken = 0
        self.start()

    def start(self):
        """Begin to serve, at the port of before."""
        source = Path(databroker.__file__).parents[1]
        tests = Path(__file__).parents[1]
        self._popen = subprocess.Popen(
            [sys.executable, __file__, str(self.place), str(self.port), str(self.workers)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(source), str(tests)])},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._popen.stdout.readline())

    def kill(self):
        """End it as a crash does."""
        self._popen.send_signal(signal.SIGKILL)
        self._popen.communicate()

    def close(self):
        """End it."""
        self._popen.terminate()
        self._popen.communicate()

    def take(self, schema="source"):
        """Return the name of a source that is new: in a schema, which must be empty."""
        self._taken += 1
        return f"{schema}.{self._taken}"

    def uri(self, name):
        """Return the address of a source."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def path(self, name):
        """Return the file of a source."""
        return Path(self.place, f"{name}.db")

    @property
    def pid(self):
        """The number of the process."""
        return self._popen.pid

    def post(self, name, call, **more):
        """Return the response to a request, which brings the token."""
        headers = {"Authorization": f"Bearer {TOKEN}"} | more.pop("headers", {})
        return httpx.post(f"{self.uri(name)}/v1/{call}", headers=headers, **more)


def schema_of(name):
    """Return the schema of a source in a PostgreSQL database."""
    return name.partition(".")[0]


def _serve(place, port, workers):
    import socket

    from databroker.server.command.workers import run_workers

    with socket.create_server(("127.0.0.1", port)) as door:
        print(door.getsockname()[1], flush=True)
        if workers > 1:
            run_workers(workers, _work, (place, door))
        else:
            _work(place, door)


def _work(place, door):
    import uvicorn

    from databroker.server import Limits
    from databroker.server.command.connections import limited
    from databroker.server.command.ending import ServerWithStreams
    from databroker.server.command.serve import raise_file_limit
    from databroker.server.live.event_stream import WithStreams

    raise_file_limit(Limits().connections)
    served = WithStreams(Sources(place))
    config = uvicorn.Config(served, log_level="warning", lifespan="off")
    ServerWithStreams(limited(config, Limits()), served.end_streams).run([door])


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
