"""An interrupt amid an import leaves nothing behind that is in the way of what comes later."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import databroker
from databroker._util.lazy import lazy_module
from databroker._util.signals import whole_module, without_signals
from databroker.testing.conformance.base import whole_run
from helpers.alarms import Alarm, ringing

RINGS = """
import signal
signal.raise_signal(signal.SIGALRM)
whole = True
"""


def in_a_new_process(program, *arguments, **options):
    """Run a program that is stuck if it does not work, and return what it prints."""
    path = [str(Path(databroker.__file__).parents[1])]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {path}\n{program}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_module_in_which_an_alarm_rings_is_whole_afterwards(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "in_which_it_rings.py").write_text(RINGS)
    module = lazy_module("in_which_it_rings")
    with ringing():
        with pytest.raises(Alarm):
            module.whole  # noqa: B018
        assert module.whole
    del sys.modules["in_which_it_rings"]


def test_an_alarm_ends_nothing_that_is_unseen():
    done = threading.Event()

    with ringing() as ring:

        def job():
            ring()  # it is the main thread that sees to it
            done.set()

        with pytest.raises(Alarm):
            without_signals(job)
    assert done.wait(60)


def test_what_fails_unseen_is_raised():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        whole_module("no_such_module")


EVERYWHERE = """
import contextlib, importlib
from pathlib import Path
from databroker._util.signals import whole_module
from databroker.testing.interrupting import interrupted_after

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
sys.dont_write_bytecode = True
calls, places = True, 0
while calls:
    for which in ("first", "second"):
        (folder / f"{which}{places}.py").write_text("")
    importlib.invalidate_caches()
    at_a_place = interrupted_after(places, KeyboardInterrupt)
    with contextlib.suppress(KeyboardInterrupt), at_a_place as calls:
        importlib.import_module(f"first{places}")
    whole_module(f"second{places}")
    places += 1
print(places)
"""


def test_wherever_an_import_was_interrupted_another_thread_can_import(tmp_path):
    assert int(in_a_new_process(EVERYWHERE, tmp_path)) > 50


ONE_RUN = """
from databroker.v1.broker import Broker
from databroker.stores.memory import MemoryStore
db = Broker(MemoryStore())
db.insert("start", {"uid": "a", "time": 1.0})
assert db[-1].uid == db["a"].uid == next(iter(db())).uid
print([name for name in sys.modules if name.startswith(("databroker.v2", "databroker.config"))])
"""


def test_a_look_up_imports_no_catalogs():
    """An import amid which an alarm rings may leave half a module behind."""
    assert in_a_new_process(ONE_RUN) == "[]\n"


SPYING = """
import json, threading

class Spy:
    @staticmethod
    def find_spec(name, *_):
        if threading.current_thread() is threading.main_thread():
            seen.append(name)

documents, seen = json.load(sys.stdin), []
{opening}
sys.meta_path.insert(0, Spy)
for document in documents:
    store.insert(*document)
sys.meta_path.remove(Spy)
store.close()
print(seen)
"""

OPENING = {
    "memory": "from databroker.stores.memory import MemoryStore; store = MemoryStore()",
    "sqlite": "from databroker.stores.sql import SQLiteStore; store = SQLiteStore(sys.argv[1])",
}


@pytest.mark.parametrize("store", OPENING)
def test_an_insert_imports_nothing_where_interrupts_are_seen_to(store, tmp_path):
    program = SPYING.format(opening=OPENING[store])
    documents = json.dumps(list(whole_run("a")))
    assert in_a_new_process(program, tmp_path / "runs.db", input=documents) == "[]\n"


AT_THE_END = """
import atexit, json

*documents, last = json.load(sys.stdin)
{opening}
for document in documents:
    store.insert(*document)

@atexit.register
def insert():
    store.insert(*last)
    print(store.record("a").stop == last[1])
    store.close()
"""


@pytest.mark.parametrize("store", OPENING)
def test_a_run_may_end_while_python_does(store, tmp_path):
    """Python 3.12 begins no threads then."""
    program = AT_THE_END.format(opening=OPENING[store])
    documents = json.dumps(list(whole_run("a")))
    assert in_a_new_process(program, tmp_path / "runs.db", input=documents) == "True\n"
