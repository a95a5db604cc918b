"""A server of databroker in a thread of this process: what it serves can be changed meanwhile."""

import contextlib
import socket
import threading

import uvicorn

from databroker.server import app


@contextlib.contextmanager
def serving(source, **options):
    """Serve a source; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        config = uvicorn.Config(app(source, **options), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([door],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
