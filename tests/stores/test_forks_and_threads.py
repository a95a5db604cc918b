"""A store travels to other processes, and may be closed while it is in use."""

import contextlib

import pytest

from databroker.query.nodes import Everything
from databroker.stores.sql import SQLiteStore
from databroker.testing import answers, assert_identical, expected, read_rows
from databroker.testing.conformance.base import whole_run


@pytest.fixture
def store(path):
    with contextlib.closing(SQLiteStore(path)) as store:
        yield store


FORK = """
store = SQLiteStore(path)
insert_all(store, whole_run("before")[:-1])
left_open = store.find(Everything())
go()
pid = os.fork()
name = "parent" if pid else "child"
insert_all(store, whole_run(name))
for number in range(10, 300):
    store.insert("event", event(number + (1000 if pid else 0), "before-desc"))
assert store.record("before") is not None
next(left_open)
store.close()
if not pid:
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
store = SQLiteStore(path)
insert_all(store, whole_run("before")[-1:])
store.close()
"""


def test_a_store_may_be_used_on_both_sides_of_a_fork(processes, store, path):
    processes.run([(FORK, path)])
    *both, oldest = (run.uid for run in store.find(Everything()))
    assert (sorted(both), oldest) == (["child", "parent"], "before")
    for name in ("parent", "child"):
        assert_identical(
            read_rows(store, "event", f"{name}-desc"),
            expected(whole_run(name))["rows"][f"event {name}-desc"],
        )
    rows = read_rows(store, "event", "before-desc")
    numbers = {row["seq_num"] for row in rows}
    assert numbers == {1, 2, 3, *range(10, 300), *range(1010, 1300)}
    assert len(rows) == len(numbers)


FORK_QUIETLY = """
store = SQLiteStore(path)
insert_all(store, whole_run("before"))
go()
pid = os.fork()
if not pid:
    del store  # a child that never touches the store must not harm its parent
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
insert_all(store, whole_run("after"))
store.close()
"""


def test_a_child_that_only_ends_does_no_harm(processes, store, path):
    processes.run([(FORK_QUIETLY, path)])
    runs = whole_run("before") + whole_run("after")
    assert_identical(answers(store, runs), expected(runs))


REFUSED = """
import signal, threading
from databroker.errors import StoreUnavailable
from databroker.stores.sql.engine.limits import Limits
soon = Limits(fork_patience=0.1)
store, elsewhere = SQLiteStore(path, limits=soon), SQLiteStore(path + ".other", limits=soon)
store.insert("start", start("before"))
begun, go_on = threading.Event(), threading.Event()

def job(connection):
    connection.execute("BEGIN IMMEDIATE")
    begun.set()
    go_on.wait(60)
    connection.execute("COMMIT")

def refused(use):
    try:
        use()
    except StoreUnavailable as error:
        for text in (path, "forked while", "spawn", "forkserver", "nothing is being written"):
            assert text in str(error), error
    else:
        raise AssertionError("it could be used")

def child(of):
    pid = os.fork()
    if pid:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        return
    code = 1
    try:
        refused(lambda: store.insert("start", start("child")))
        refused(lambda: store.record("before"))
        refused(lambda: list(store.find(Everything())))
        refused(lambda: SQLiteStore(path))
        refused(lambda: SQLiteStore(path, read_only=True))
        if of == "thread":
            elsewhere.insert("start", start("child"))  # nothing was being written to that one
            if os.fork() == 0:
                refused(lambda: SQLiteStore(path))
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
        store.close()
        code = 0
    finally:
        os._exit(code)

go()
thread = threading.Thread(target=lambda: store._connections.write(job))
thread.start()
begun.wait(60)
child("thread")
go_on.set()
thread.join()
store.insert("start", start("after"))

def amid(connection):
    connection.execute("BEGIN IMMEDIATE")
    signal.raise_signal(signal.SIGUSR1)
    connection.execute("COMMIT")

signal.signal(signal.SIGUSR1, lambda *_: child("handler of a signal"))
store._connections.write(amid)
store.insert("start", start("last"))
assert elsewhere.record("child") is not None
elsewhere.close()
store.close()
"""


def test_a_child_forked_in_the_middle_of_a_write_is_refused_and_told_how_to_go_on(
    processes, store, path
):
    processes.run([(REFUSED, path)])
    assert {run.uid for run in store.find(Everything())} == {"before", "after", "last"}
