"""Who may write to the file of an SQLite store, and what others see of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import databroker
from databroker.errors import StoreIsReadOnly
from databroker.stores.base import Capabilities
from databroker.testing.conformance.base import insert_all, start
from helpers.sqlite_files import RUN, assert_holds_run, opened, written


def test_read_only_by_choice(path):
    written(path)
    with opened(path) as writer, opened(path, read_only=True) as reader:
        assert reader.capabilities == Capabilities(False, True, "exact", True, True)
        assert_holds_run(reader)
        with pytest.raises(StoreIsReadOnly, match=r"runs\.db"):
            reader.insert("start", start("new"))
        writer.insert("start", start("new"))
        assert reader.record("new") is not None


# All that is needed is imported once, also because the other user may not be able to.
FORGE = """
import contextlib, io, json, os, sys, tempfile, traceback
import databroker
from databroker.errors import DatabrokerError, StoreIsReadOnly, StoreUnavailable
from databroker.query.nodes import Everything
from databroker.stores.base import Capabilities
from databroker.stores.sql import SQLiteStore
from databroker.testing import answers, assert_identical, expected, read_rows
from databroker.testing.conformance.base import *
RUN = whole_run()[:-1]
with tempfile.TemporaryDirectory() as folder:
    store = SQLiteStore(folder + "/runs.db")
    insert_all(store, whole_run())
    answers(store, RUN)
    store.close()
    databroker.open(folder + "/runs.db").close()


def run_as_nobody(script, path):
    said, wrong = io.StringIO(), None
    try:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        with contextlib.redirect_stdout(said):
            exec(script, globals() | {"path": path})
    except BaseException:
        wrong = traceback.format_exc()
    print(json.dumps([said.getvalue(), wrong]), flush=True)


for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        run_as_nobody(*json.loads(line))
        os._exit(0)
    os.waitpid(pid, 0)
"""

READ = """
store = SQLiteStore(path)
assert store.capabilities == Capabilities(False, True, "exact", True, True), store.capabilities
for _ in range(2):
    assert_identical(answers(store, RUN), expected(RUN))
try:
    store.insert("start", start("new"))
except StoreIsReadOnly as error:
    print(error)
else:
    raise AssertionError("it could be written to")
store.close()
"""


@pytest.fixture
def shared():
    """Return a folder that another user can look into, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="databroker test "))
    folder.chmod(0o755)
    yield folder
    for each in (folder, *folder.iterdir()):
        each.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def as_nobody():
    """Runs a script as a user with no rights of its own, and returns what it printed."""
    with subprocess.Popen(
        [sys.executable, "-c", FORGE],
        env={**os.environ, "PYTHONPATH": str(Path(databroker.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as forge:

        def run(script, path):
            forge.stdin.write(json.dumps([script, str(path)]) + "\n")
            said, wrong = json.loads(forge.stdout.readline())
            assert wrong is None, wrong
            return said

        yield run
        forge.stdin.close()


@pytest.mark.parametrize("folder_mode", [0o555, 0o755, 0o777], ids=oct)
def test_another_user_reads_a_file_at_rest(as_nobody, shared, folder_mode):
    path = written(shared / "runs.db")
    path.chmod(0o644)
    shared.chmod(folder_mode)
    before = path.read_bytes()
    assert "can be read" in as_nobody(READ, path) or "reading only" in as_nobody(READ, path)
    assert path.read_bytes() == before
    assert [each.name for each in shared.iterdir()] == ["runs.db"]


OPEN = """
try:
    databroker.open(path)
except StoreUnavailable as error:
    print(error)
"""


def test_what_may_not_be_read_is_unavailable(as_nobody, shared):
    path, folder = written(shared / "runs.db"), shared / "runs"
    folder.mkdir()
    path.chmod(0)
    folder.chmod(0)
    for place in (path, folder):
        assert f"{place} cannot be opened: " in as_nobody(OPEN, place)
    folder.chmod(0o755)


def test_another_user_reads_a_writable_file_in_a_folder_that_is_not(as_nobody, shared):
    path = written(shared / "runs.db")
    path.chmod(0o666)
    shared.chmod(0o555)
    as_nobody(READ, path)
    assert [each.name for each in shared.iterdir()] == ["runs.db"]


def test_another_user_reads_while_the_owner_writes(as_nobody, shared):
    path = shared / "runs.db"
    with opened(path) as store:
        insert_all(store, RUN)
        assert (shared / "runs.db-wal").stat().st_size > 0
        shared.chmod(0o555)
        as_nobody(READ, path)
        store.insert("start", start("later"))
        assert store.record("later") is not None


LEFT = """
import os, sys
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import *
store = SQLiteStore(sys.argv[1])
insert_all(store, whole_run()[:-1])
os._exit(0)
"""


@pytest.mark.parametrize("with_index", [True, False])
def test_another_user_never_misses_what_a_dead_writer_left_in_the_log(
    as_nobody, shared, with_index
):
    path = shared / "runs.db"
    subprocess.run(
        [sys.executable, "-c", LEFT, str(path)],
        env={**os.environ, "PYTHONPATH": str(Path(databroker.__file__).parents[1])},
        check=True,
        timeout=300,
    )
    assert (shared / "runs.db-wal").stat().st_size > 0
    if not with_index:
        (shared / "runs.db-shm").unlink()
    for each in shared.iterdir():
        each.chmod(0o444)
    shared.chmod(0o555)
    # Where the log cannot be read without writing, an error is right; old data is not.
    script = (
        READ
        if with_index
        else f"""
try:
    SQLiteStore(path)
except StoreUnavailable as error:
    assert path in str(error), error
else:
{"".join(f"    {line}{chr(10)}" for line in READ.splitlines())}
"""
    )
    as_nobody(script, path)


NOT_THERE = """
try:
    SQLiteStore(path)
except DatabrokerError as error:
    assert path in str(error), error
else:
    raise AssertionError("it was opened")
"""


def test_a_file_that_cannot_be_made_is_refused(as_nobody, shared):
    shared.chmod(0o555)
    as_nobody(NOT_THERE, shared / "runs.db")
    as_nobody(NOT_THERE, shared / "folder" / "runs.db")


def test_a_file_that_cannot_be_read_is_refused(as_nobody, shared):
    path = written(shared / "runs.db")
    path.chmod(0o600)
    as_nobody(NOT_THERE, path)
