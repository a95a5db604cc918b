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
    """An ASGI application in which whatever is named first becomes an SQLite file of this name."""

    def __init__(self, folder, kept=8):
        self._folder, self._kept = Path(folder), kept
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
        from databroker.stores.sql import SQLiteStore

        if name not in self._open:
            limits = Limits(request_bytes=2**24)
            store = SQLiteStore(self._folder / f"{name}.db")
            # Where it lets write, it opens no files but those below folders that are named.
            db = Broker(store, registry=Registry(allowed_roots=[os.path.abspath(os.sep)]))
            served = app(db, token=TOKEN, allow_writing=allow_writing, limits=limits)
            self._open[name] = store, served
            if len(self._open) > self._kept:
                self._open.popitem(last=False)[1][0].close()
        self._open.move_to_end(name)
        return self._open[name][1]


class Server:
    """A process that serves `Sources` of a folder, which can be killed and started again."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.port = 0
        self._taken = 0
        self.start()

    def start(self):
        """Begin to serve, at the port of before."""
        source = Path(databroker.__file__).parents[1]
        tests = Path(__file__).parents[1]
        self._popen = subprocess.Popen(
            [sys.executable, __file__, str(self.folder), str(self.port)],
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

    def take(self):
        """Return the name of a source that is new."""
        self._taken += 1
        return f"source{self._taken}"

    def uri(self, name):
        """Return the address of a source."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def path(self, name):
        """Return the file of a source."""
        return self.folder / f"{name}.db"

    @property
    def pid(self):
        """The number of the process."""
        return self._popen.pid

    def post(self, name, call, **more):
        """Return the response to a request, which brings the token."""
        headers = {"Authorization": f"Bearer {TOKEN}"} | more.pop("headers", {})
        return httpx.post(f"{self.uri(name)}/v1/{call}", headers=headers, **more)


def _serve(folder, port):
    import socket

    import uvicorn

    from databroker.server import Limits
    from databroker.server.connections import limited
    from databroker.server.live.stream import WithStreams
    from databroker.server.running import ServerWithStreams, allow_files

    allow_files(Limits().connections)
    door = socket.create_server(("127.0.0.1", port))
    print(door.getsockname()[1], flush=True)
    served = WithStreams(Sources(folder))
    config = uvicorn.Config(served, log_level="warning", lifespan="off")
    ServerWithStreams(limited(config, Limits()), served.end_streams).run([door])


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
