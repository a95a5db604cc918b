"""What several folders of tests share. What is no fixture stands in ``helpers``."""

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("helpers")

from helpers import ids  # noqa: E402 - after that
from helpers import postgresql as postgresql_servers  # noqa: E402 - after that

# A busy machine is no failure; and as each time others are drawn, few examples are many in the end.
settings.register_profile("few without deadlines", deadline=None, max_examples=60)
settings.load_profile("few without deadlines")


def _keep_files_in_memory() -> None:
    """Where there is room: to wait for a disk takes half of the time of many tests."""
    place = "/dev/shm"
    if "TMPDIR" in os.environ or not os.access(place, os.W_OK):
        return
    room = os.statvfs(place)
    if room.f_bavail * room.f_frsize > 2**32 and not room.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = place


_keep_files_in_memory()

# Indexes of files lie in a folder of their own, also those of processes that tests start.
_CACHE = tempfile.TemporaryDirectory(prefix="databroker-tests-")
os.environ["XDG_CACHE_HOME"] = _CACHE.name

_PLACES = ("DATABROKER_PATH", "INTAKE_PATH", "XDG_CONFIG_HOME", "XDG_DATA_HOME")


def pytest_addoption(parser):
    parser.addoption("--refresh", action="store_true", help="write snapshots anew")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected stays: to look through it for garbage again and again takes long."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Have the tests of one Tiled server in one process: to start it and to fill it take long."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByServer(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            folder = file.rpartition("/")[0]
            return folder if folder in ("tests/stores/tiled", "tests/tiled_tree") else file

    return ByServer(config, log)


def pytest_collection_modifyitems(items):
    ids.refuse_addresses(item.nodeid for item in items)


def pytest_collection_finish():
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _garbage_is_looked_for():
    """Begin each test as a program begins, whatever an interrupted one before it left behind."""
    gc.enable()


def _live_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in _PLACES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("VIRTUAL_ENV", str(home / "venv"))
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home folder, lived in for one test."""
    _live_in(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture(scope="session")
def _demo(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    home = tmp_path_factory.mktemp("demo_home")
    with pytest.MonkeyPatch.context() as monkeypatch:
        _live_in(home, monkeypatch)
        # A real process: it shows, too, that the demonstration ends when it is done.
        done = subprocess.run(
            [sys.executable, "-m", "databroker", "demo"],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=dict(os.environ),
        )
    assert done.returncode == 0, done.stderr
    return home, done


@pytest.fixture
def demo_output(_demo: tuple[Path, subprocess.CompletedProcess[str]]) -> object:
    """What 'databroker demo' printed, in a fresh home."""
    return _demo[1]


@pytest.fixture
def at_demo_home(
    _demo: tuple[Path, subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home in which 'databroker demo' was run; shared, so only read in it."""
    _live_in(_demo[0], monkeypatch)
    return _demo[0]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server that is there for the tests."""
    with postgresql_servers.address() as address:
        yield address


@pytest.fixture(scope="session")
def _schemas(postgresql: str) -> postgresql_servers.Schemas:
    return postgresql_servers.Schemas(postgresql)


@pytest.fixture
def new_schema(_schemas: postgresql_servers.Schemas) -> Iterator[Callable[[], str]]:
    """Gives names of schemas, each for one store, until the test is over."""
    taken = []

    def take() -> str:
        taken.append(_schemas.take())
        return taken[-1]

    yield take
    _schemas.give_back(taken)


@pytest.fixture
def postgresql_config(postgresql: str, new_schema: Callable[[], str]) -> dict[str, str]:
    """What a broker in a schema of its own is made from."""
    # A busy machine is no server that is away.
    patient = {"spill_after": 60}
    return {"driver": "postgresql", "uri": postgresql, "schema": new_schema(), **patient}


@pytest.fixture(scope="session")
def mongo_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that stands in for MongoDB."""
    from helpers import mongo

    with mongo.address(tmp_path_factory.mktemp("mongo")) as address:
        yield address


@pytest.fixture
def new_database(mongo_address: str) -> Iterator[Callable[[], str]]:
    """Gives addresses of new databases of MongoDB; nothing is left of them."""
    from helpers import mongo

    with mongo.new_databases(mongo_address) as take:
        yield take


@pytest.fixture(scope="session")
def http_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A process that serves as many sources as tests name."""
    from helpers.http_server import Server

    with closing(Server(tmp_path_factory.mktemp("served"))) as server:
        yield server


@pytest.fixture(scope="session")
def two_workers(postgresql: str) -> Iterator[object]:
    """Two processes that serve schemas of a PostgreSQL database at one address."""
    from helpers.http_server import Server

    with closing(Server(postgresql, workers=2)) as server:
        yield server
