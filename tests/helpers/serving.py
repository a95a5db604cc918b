"""A server in a thread of the tests, so that they see into the store behind it."""

import socket
import threading
from contextlib import contextmanager

import httpx
import uvicorn

from databroker.server import Limits, app
from databroker.server.command.connections import limited


class InThread:
    """Where a server is, and how it is asked."""

    def __init__(self, port, server):
        self.port = port
        self._server = server
        self.uri = f"http://127.0.0.1:{port}"

    def post(self, call, **more):
        """Return the response to a call."""
        return httpx.post(f"{self.uri}/v1/{call}", **more)

    @property
    def connections(self):
        """How many connections the server has."""
        return len(self._server.server_state.connections)

    def connect(self):
        """Return a connection; whoever waits on it waits half a minute at most."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)


@contextmanager
def served(store, limits=None, *, http="auto", certificate=None, **options):
    """Have a store served, until this is left."""
    limits = limits or Limits()
    with socket.create_server(("127.0.0.1", 0)) as door:
        config = uvicorn.Config(
            app(store, limits=limits, allow_writing=True, **options),
            log_level="critical",
            http=http,
            ssl_certfile=certificate,  # with its key
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
        server = uvicorn.Server(limited(config, limits))
        thread = threading.Thread(target=server.run, args=[[door]])
        thread.start()
        try:
            yield InThread(door.getsockname()[1], server)
        finally:
            server.should_exit = True
            thread.join()
