"""A Tiled server on this machine, in a process of its own, and runs in it by its own writer."""

import contextlib
import copy
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx

KEY = "correcthorsebatterystaple"

_CATALOG = """
import sys
from tiled.catalog import from_uri
from tiled.config import Authentication
from tiled.server.app import build_app

folder, port, key = sys.argv[1:]
tree = from_uri(
    f"sqlite:///{folder}/catalog.db",
    writable_storage=[f"file://localhost{folder}/data", f"duckdb:///{folder}/tables.duckdb"],
    readable_storage=[folder],
    init_if_not_exists=True,
)
app = build_app(tree, authentication=Authentication(single_user_api_key=key))
"""


CONFIGURED = """
import sys
from tiled.config import parse_configs
from tiled.server.app import build_app_from_config

folder, port, _ = sys.argv[1:]
app = build_app_from_config(parse_configs(f"{folder}/config.yml"))
"""
"""A server of what a file ``config.yml`` in its folder says."""

# As Tiled overrides a dependency, FastAPI makes each of them anew at each request, which takes a
# third of the time of a small one: here, once.
_QUICKLY = """
from fastapi.dependencies import utils

make, made = utils.get_dependant, {}

def get_dependant(**given):
    key = tuple((name, tuple(v) if isinstance(v, list) else v) for name, v in given.items())
    if key not in made:
        made[key] = make(**given)
    return made[key]

utils.get_dependant = get_dependant
"""

_RUN = """
import uvicorn
uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", loop="asyncio")
"""


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as door:
        return door.getsockname()[1]


class TiledServer:
    """A server that a test may stop and start again, with what it serves.

    It is asked with ``verify=False``: to read certificates, of which it has none, takes long.
    What takes its time, too, is as it is, unless it need only answer `quickly`.
    """

    def __init__(self, folder, program=_CATALOG, quickly=False):
        self.folder = Path(folder)
        self._program = program + (_QUICKLY if quickly else "") + _RUN
        self.port = _free_port()
        self._process = None
        self._log = self.folder / "server.log"
        self._http = httpx.Client(
            headers={"Authorization": f"Apikey {KEY}"}, timeout=60, verify=False
        )

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.port}"

    def begin(self):
        """Start it, without waiting."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", self._program, str(self.folder), str(self.port), KEY],
                stdout=log,
                stderr=log,
                env=os.environ | {"TILED_LOG_LEVEL": "WARNING"},
            )

    def wait(self):
        """Return once it answers."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._log.read_text()[-3000:]
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.uri}/api/v1/", timeout=5, verify=False).is_success:
                    return
            time.sleep(0.05)
        raise AssertionError(f"no answer: {self._log.read_text()[-3000:]}")

    def end(self):
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self):
        """Kill it for good."""
        self.end()
        self._http.close()

    def new_catalog(self):
        """Return the address of a new, empty catalog."""
        name = uuid.uuid4().hex[:12]
        self.put([], name, {}, [])
        return f"{self.uri}/api/v1/metadata/{name}"

    def put(self, path, name, metadata, specs):
        """Make an entry, as Tiled's client does."""
        body = {
            "id": name,
            "structure_family": "container",
            "metadata": metadata,
            "data_sources": [],
            "specs": specs,
        }
        answer = self._http.post(
            f"{self.uri}/api/v1/metadata/{'/'.join(path)}",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        assert answer.is_success, answer.text


class Writing:
    """What gives documents to Tiled's writer, and has it write them when it is told to."""

    def __init__(self, catalog, normalizer=None, **options):
        from bluesky_tiled_plugins import TiledWriter

        self._runs = []
        self._writer = TiledWriter(catalog, normalizer=normalizer, **options)
        make = self._writer._factory

        def factory(name, doc):
            callbacks, _ = make(name, doc)
            for each in callbacks:  # of a normalizer, what comes after it
                inner = list(getattr(each, "_token_refs", {}).values())
                self._runs += inner or [each]
            return callbacks, []

        self._writer._run_router.factories = [factory]

    @classmethod
    def normal(cls, catalog):
        """Return one that makes new documents of old ones first, as the writer does by default."""
        from bluesky_tiled_plugins.writing.tiled_writer import RunNormalizer

        return cls(catalog, RunNormalizer)

    def __call__(self, kind, doc):
        self._writer(kind, doc)
        if kind == "stop":  # which writes all there is
            self._runs = [run for run in self._runs if _uid(run) != doc["run_start"]]

    def flush(self):
        """Have it write what it would keep until there is more."""
        for run in self._runs:
            for stream, rows in run._internal_data_cache.items():
                if rows:
                    run._write_internal_data(rows, run._desc_nodes[stream])
                    rows.clear()
            run._internal_data_cache.clear()
            for datum in run._external_data_cache.values():
                run._write_external_data(datum)
            run._external_data_cache.clear()


def _uid(run):
    return run.root_node.metadata["start"]["uid"]


def writing_store(server, client, filled=None):
    """Return a store that takes documents, and has Tiled's writer write them when it is asked.

    Where a catalog is already filled with the same documents, as `filled` says, that is asked.
    """
    from databroker.stores.tiled import TiledStore

    filled = {} if filled is None else filled
    if not filled:
        filled[repr([])] = server.new_catalog().rpartition("/")[2]

    class WritingStore(TiledStore):
        def __init__(self):
            self._given, self._written, self._writing = [], 0, None
            super().__init__(f"{server.uri}/api/v1/metadata/{filled[repr([])]}", api_key=KEY)
            self._url, self._server.url = self._server.url, self._url_of

        def put(self, kind, doc):
            self._given.append((kind, copy.deepcopy(doc)))

        def __reduce__(self):
            self._begin()  # another opener sees what comes from now on
            return super().__reduce__()

        def _url_of(self, *parts):
            """Write what was given before an address is asked."""
            if self._written < len(self._given):
                self._write()
            return self._url(*parts)

        def _write(self):
            known = filled.get(repr(self._given)) if self._written == 0 else None
            if known is not None and self._writing is None:
                self._server.path, self._written = (known,), len(self._given)
                return
            self._begin()
            if self._written:
                filled.pop(repr(self._given[: self._written]), None)
            while self._written < len(self._given):
                self._written += 1
                self._writing(*self._given[self._written - 1])
            self._writing.flush()
            filled[repr(self._given)] = self._server.path[0]

        def _begin(self):
            """Take a catalog of its own."""
            if self._writing is None:
                name = server.new_catalog().rpartition("/")[2]
                self._writing, self._written = Writing(client[name]), 0
                self._server.path = (name,)

    return WritingStore()
