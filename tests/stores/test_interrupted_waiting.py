"""An interrupt of whoever waits for changes, wherever it strikes, keeps no others from that."""

import itertools
import threading
from contextlib import closing

from databroker._util.waiters import Waiters
from databroker.stores.http import HTTPStore
from databroker.stores.memory import MemoryStore
from databroker.stores.sql.engine.postgresql.listening import Bell
from databroker.testing.conformance.base import start
from databroker.testing.interrupting import interrupted_after
from helpers.serving import served


def interrupt_everywhere(wait, still_works):
    """Interrupt what waits after each of its calls; see that another thread can go on."""
    for calls in itertools.count():
        struck = False
        try:
            with interrupted_after(calls, KeyboardInterrupt) as struck:
                wait()
        except KeyboardInterrupt:
            pass
        other = threading.Thread(target=still_works, daemon=True)
        other.start()
        other.join(10)
        assert not other.is_alive(), f"interrupted after {calls} calls"
        if not struck:
            assert calls > 5
            return


def test_whoever_waits_is_woken():
    waiters = Waiters()
    interrupt_everywhere(lambda: waiters.wait_for(lambda: False, 1e-4), waiters.wake)


def test_in_memory():
    store, numbers = MemoryStore(), itertools.count()
    interrupt_everywhere(
        lambda: store.wait_for_changes(store.state(), 1e-4),
        lambda: store.insert("start", start(f"run {next(numbers)}")),
    )


def test_those_who_do_not_listen_themselves_on_postgresql():
    bell = Bell(None)
    bell._listening.acquire()

    def wait():
        with bell.heard(1) as pause:
            pause(1e-4)

    interrupt_everywhere(wait, wait)


def test_for_what_a_server_tells():
    with served(MemoryStore()) as server, closing(HTTPStore(server.uri)) as store:
        state = store.state()

        def still_works():
            assert store.wait_for_changes(store.state(), 0) is False
            store._listener.wait(0, state, 1e-4)

        interrupt_everywhere(lambda: store._listener.wait(0, state, 1e-4), still_works)
        store.insert("start", start())
        assert store.wait_for_changes(state, 10)
