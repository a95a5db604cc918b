"""A server that answers what another one answered when it was recorded, and nothing else."""

import base64
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UNKNOWN = {
    "status": 500,
    "type": "application/json",
    "body": json.dumps({"detail": "not recorded: tests/side_by_side/mongo_adapter.py --write"}),
}


@contextlib.contextmanager
def replaying(answers):
    """Serve some answers, each by its path; give the address, and the paths that were asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a body would wait 40 ms for the headers to be confirmed

        def do_GET(self):
            asked.append(self.path)
            answer = answers.get(self.path, UNKNOWN)
            content = _content(answer["body"])
            self.send_response(answer["status"])
            self.send_header("Content-Type", answer["type"])
            self.send_header("Content-Length", str(answer.get("length", len(content))))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = "length" in answer

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _content(body):
    return base64.b64decode(body[0]) if isinstance(body, list) else body.encode()
