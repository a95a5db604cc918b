"""A server that is told to end, amid something that does not."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from databroker import Broker
from databroker.documents.encode import encode
from databroker.stores.wire.calls import MESSAGEPACK
from helpers.http_server import TOKEN

SERVE = """
from databroker.server.command import ending, serve
ending.PATIENCE = serve.PATIENCE = 1
ending._LONGER = 0.2
from databroker.cli import main
main()
"""


def test_it_ends_soon_and_says_that_it_had_no_answer(tmp_path):
    path = str(tmp_path / "runs.db")
    with Broker.from_config({"driver": "sqlite", "path": path}) as db:
        db.insert("start", {"uid": "a", "time": 1.0})
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, "serve", path, "--port", "0", "--allow-writing"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "DATABROKER_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = urlsplit(server.stdout.readline().strip())
    start = encode({"kind": "start", "doc": {"uid": "b", "time": 2.0}})
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")  # for which a writer waits two minutes
        asking, after = (HTTPConnection(address.netloc, timeout=60) for _ in range(2))
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": MESSAGEPACK}
        asking.request("POST", f"{address.path}/v1/insert", start, headers)
        after.request("GET", "/health")
        assert after.getresponse().read()  # so that the other one was begun
        with socket.create_connection((address.hostname, address.port)) as odd:
            odd.sendall(b"\x16\x03\x01\r\n\r\n")  # as of somebody who encrypts
            assert odd.recv(1)
        server.terminate()
        _, said = server.communicate(timeout=60)
    answer = asking.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (503, "store-away")
    assert server.returncode == 0
    assert "this process ends amid what it was asked" in said
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if line]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:.*: ", line) for line in lines), lines
    assert "Invalid HTTP request" in said
    asking.close()
    after.close()
