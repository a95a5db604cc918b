"""A Tiled server in a process of its own that has the runs of an SQLite file by our tree."""

from importlib.util import find_spec

import pytest

from helpers.tiled_server import CONFIGURED, KEY, TiledServer

if find_spec("tiled") is None or find_spec("bluesky_tiled_plugins") is None:
    collect_ignore_glob = ["*.py"]  # what the extra test-tiled brings

_CONFIGURATION = f"""
authentication:
  single_user_api_key: {KEY}
access_control:
  access_policy: policy:NoSecrets
  args: {{}}
trees:
  - path: /lab/runs
    tree: databroker.tiled:tree
    args: {{name: runs.db}}
"""
_POLICY = """
from tiled.access_control.protocols import AccessPolicy
from tiled.access_control.scopes import ALL_SCOPES
from tiled.queries import NotEq

class NoSecrets(AccessPolicy):
    async def init_node(self, *given, **more):
        return False, frozenset()

    async def allowed_scopes(self, *given):
        return ALL_SCOPES

    async def filters(self, node, *given):
        is_of_runs = any(spec.name == "CatalogOfBlueskyRuns" for spec in node.specs)
        return [NotEq("start.plan_name", "secret")] if is_of_runs else []
"""


def _many(db):
    """Insert small runs for searching: enough for several pages, some at the same time."""
    for number in range(230):
        start = {
            "uid": f"{number * 7919 % 230:03}-many",
            "time": float(number // 2),
            "scan_id": number % 100,
            "plan_name": ("scan", "count", "secret")[number % 3],
            "T": [4.5, None, "cold", number, [1, number]][number % 5],
            "sample": {"name": f"Ni_{number % 4}", "note": "good crystal" if number % 7 else "bad"},
        }
        db.insert("start", start)
        if number % 4:
            exit_status = "success" if number % 3 else "fail"
            stop = {"uid": f"stop {number}", "run_start": start["uid"], "time": number + 1.0}
            db.insert("stop", {**stop, "exit_status": exit_status})


def _odd(db):
    """Insert a run whose documents Tiled cannot send as they are."""
    db.insert("start", {"uid": "odd", "time": 1e9, "scan_id": 5000, "plan_name": "odd values",
                        "nan": float("nan"), "large": 2**70, "half": "a\ud800"})  # fmt: skip
    keys = {"dtype": "integer", "shape": [], "source": "sim"}
    names = ["time", "_x", "a/b", "mixed", "ragged", "gap", "text"]
    db.insert("descriptor", {"uid": "odd-d", "run_start": "odd", "time": 1e9, "name": "primary",
                             "data_keys": dict.fromkeys(names, keys)})  # fmt: skip
    for number in range(1, 4):
        data = {"time": number, "_x": number, "a/b": number, "mixed": [5, "x", None][number - 1],
                "ragged": [1.5] * number, "gap": number, "text": f"ü{number}"}  # fmt: skip
        if number == 2:
            del data["gap"]
        db.insert("event", {"uid": f"odd-{number}", "descriptor": "odd-d", "time": 1e9 + number,
                            "seq_num": number, "data": data,
                            "timestamps": dict.fromkeys(data, 1e9 + number)})  # fmt: skip
    db.insert("stop", {"uid": "odd-stop", "run_start": "odd", "time": 1e9 + 9, "exit_status": "x"})


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with runs.db, and the configuration of a server of it."""
    from databroker import Broker
    from helpers.tiled_runs import perform

    folder = tmp_path_factory.mktemp("tree")
    with Broker.from_config({"driver": "sqlite", "path": str(folder / "runs.db")}) as db:
        _many(db)
        _odd(db)
        perform([db.insert], folder / "files")
    (folder / "policy.py").write_text(_POLICY)
    configuration = _CONFIGURATION.replace("runs.db", str(folder / "runs.db"))
    (folder / "config.yml").write_text(configuration)
    return folder


@pytest.fixture
def db(folder):
    """The broker of the runs that the server shows: some are kept from everybody."""
    from databroker import Broker
    from databroker.queries import Key

    with Broker.from_config({"driver": "sqlite", "path": str(folder / "runs.db")}) as db:
        yield db.narrowed(Key("plan_name") != "secret")


@pytest.fixture(scope="session")
def server(folder):
    server = TiledServer(folder, CONFIGURED, quickly=True)
    server.begin()
    try:
        server.wait()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def uri(server):
    """The address of the catalog."""
    return f"{server.uri}/api/v1/metadata/lab/runs"


@pytest.fixture(scope="session")
def context(server):
    """The connections of Tiled's client."""
    from tiled.client.context import Context

    context, _ = Context.from_any_uri(server.uri, api_key=KEY)
    yield context
    context.http_client.close()


@pytest.fixture
def runs(context):
    """The catalog as the client of bluesky-tiled-plugins has it."""
    from tiled.client.constructors import from_context

    return from_context(context, node_path_parts=["lab", "runs"])
