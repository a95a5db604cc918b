"""Reads runs from a Tiled server of databroker 2, whose adapter serves them from MongoDB.

    python tests/side_by_side/mongo_adapter.py [--environments FOLDER] [--write]

Makes an environment for databroker 2 and a Tiled that fits to it, which needs the package index.
The documents of a RunEngine are given to it and to a memory store, and both are asked the same.
Prints a table. With ``--write``, that is put into ``docs/tiled.md``, and the answers of the server
into a file from which the tests answer in its place (``tests/stores/tiled/test_mongo_adapter.py``).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import datetime
import gzip
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from files import HERE, ROOT, environment

sys.path.insert(0, str(HERE.parent))

import event_model

from databroker import Broker
from databroker.stores.memory import MemoryStore
from databroker.stores.tiled.server import Server
from helpers.tiled_runs import perform
from helpers.tiled_trials import LOSSES, TRIALS, answer

PACKAGES = ("databroker[server]==2.0.2", "ophyd")
PAGE = ROOT / "docs" / "tiled.md"
MARK = "<!-- what follows is written by tests/side_by_side/mongo_adapter.py -->\n"
RECORDED = HERE.parent / "stores" / "tiled" / "mongo_adapter.json.gz"
KEY = "correcthorsebatterystaple"

Documents = list[tuple[str, dict[str, Any]]]


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--environments", type=Path, help="made where they are not there")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} and {RECORDED}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = environment((options.environments or Path(folder)) / "databroker-2", PACKAGES)
        given = documents(Path(folder) / "files")
        expected = asked(Broker(filled(given)))
        with (
            served(python, given) as uri,
            recorded() as answers,
            Broker.from_config({"driver": "tiled", "uri": uri, "api_key": KEY}) as db,
        ):
            found = asked(db)
        text = report(python, found, expected)
    print(text)
    if options.write:
        before, _, _ = PAGE.read_text().partition(MARK)
        PAGE.write_text(before + MARK + "\n" + text)
        recording = json.dumps({"expected": expected, "answers": answers}, sort_keys=True)
        plain = recording.replace(folder, "/data")  # rather than a path of this machine
        RECORDED.write_bytes(gzip.compress(plain.encode(), mtime=0))


def documents(files: Path) -> Documents:
    """Return the documents of runs of a RunEngine, as suitcase-mongo takes them, and old runs."""
    times = {"one": 5e8, "another": 1.2e9, "of the same time": 1.2e9, "and one": 1.2e9}
    found: Documents = [("start", {"uid": uid, "time": time}) for uid, time in times.items()]

    def keep(kind: str, document: dict[str, Any]) -> None:
        found.append((kind, event_model.sanitize_doc(document)))

    perform([keep], files)
    return found


def filled(given: Documents) -> MemoryStore:
    """Return a memory store with some documents."""
    store = MemoryStore()
    for kind, document in given:
        store.insert(kind, document)
    return store


def asked(db: Any) -> dict[str, str]:
    """Return the answers to all trials."""
    return {trial.__name__: answer(trial, db) for trial in (*TRIALS, *LOSSES.values())}


@contextlib.contextmanager
def served(python: Path, given: Documents) -> Iterator[str]:
    """Let databroker 2 serve documents; give the address."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    command = [python, HERE / "databroker_2.py", str(port), KEY]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    server = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=kept)
    try:
        assert server.stdin is not None
        server.stdin.write(json.dumps(given))
        server.stdin.close()
        wait_for(server, uri := f"http://127.0.0.1:{port}")
        yield uri
    finally:
        server.kill()
        server.wait()


def wait_for(server: subprocess.Popen[str], uri: str) -> None:
    """Return once a server answers."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{uri}/api/v1/", timeout=5).is_success:
                return
        time.sleep(0.1)
    raise RuntimeError("The server of databroker 2 does not answer.")


@contextlib.contextmanager
def recorded() -> Iterator[dict[str, Any]]:
    """Note what a server answers to each question."""
    answers: dict[str, Any] = {}
    send = Server._send

    def noted(self: Server, *question: Any) -> httpx.Response:
        response = send(self, *question)
        answers[response.request.url.raw_path.decode()] = {
            "status": response.status_code,
            "type": response.headers.get("content-type", ""),
            "body": body(response),
        }
        return response

    with mock.patch.object(Server, "_send", noted):
        yield answers


def body(response: httpx.Response) -> Any:
    """Return a body as text, or bytes as Base64 in a list."""
    if "octet-stream" in response.headers.get("content-type", ""):
        return [base64.b64encode(response.content).decode()]
    return response.text


def report(python: Path, found: dict[str, str], expected: dict[str, str]) -> str:
    """Return the table."""
    show = [python, "-m", "pip", "list", "--format", "json"]
    packages = json.loads(subprocess.run(show, capture_output=True, check=True).stdout)
    versions = {each["name"]: each["version"] for each in packages}
    lines = [
        f"| {trial.__doc__.rstrip('.')} | {_verdict(found[name], expected[name])} |"
        for trial in TRIALS
        for name in [trial.__name__]
    ]
    return "\n".join(
        [
            f"Tried on {datetime.date.today()} with databroker {versions['databroker']} and Tiled "
            f"{versions['tiled']}.",
            "",
            "| what | as from a memory store |",
            "| --- | --- |",
            *lines,
            "",
        ]
    )


def _verdict(found: str, expected: str) -> str:
    return "equal" if found == expected else "different"


if __name__ == "__main__":
    main()
