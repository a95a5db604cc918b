"""Handlers that are kept: how many, for whom, and until when."""

import os
import threading

import pytest

from databroker.external import Registry
from databroker.external.handler_cache import Opened
from databroker.external.references import DataReference


class Handler:
    def __init__(self, name="x"):
        self.name = name
        self.closed = False

    def close(self):
        self.closed = True


def lend(opened, key, shared=False):
    with opened.acquire(key, lambda: Handler(key), shared) as handler:
        return handler


def test_a_handler_is_made_once():
    opened = Opened()
    assert lend(opened, "a") is lend(opened, "a")
    assert lend(opened, "a") is not lend(opened, "b")


def test_the_one_used_least_recently_is_closed():
    opened = Opened(most=2)
    first, second = lend(opened, "a"), lend(opened, "b")
    lend(opened, "a")
    third = lend(opened, "c")
    assert [each.closed for each in (first, second, third)] == [False, True, False]
    assert len(opened) == 2


def test_a_handler_in_use_is_not_closed():
    opened = Opened(most=1)
    with opened.acquire("a", lambda: Handler("a")) as handler:
        lend(opened, "b")
        opened.close()
        assert not handler.closed
    assert handler.closed
    assert len(opened) == 0


def test_what_cannot_be_opened_is_tried_again():
    opened = Opened()
    attempts = []

    def make():
        attempts.append(1)
        if len(attempts) == 1:
            raise OSError("not yet")
        return Handler()

    with pytest.raises(OSError, match="not yet"), opened.acquire("a", make):
        pass
    assert len(opened) == 0
    with opened.acquire("a", make) as handler:
        assert handler.name == "x"


def test_a_handler_that_cannot_be_closed_spoils_nothing():
    class Bad(Handler):
        def close(self):
            raise RuntimeError

    opened = Opened(most=1)
    with opened.acquire("a", Bad):
        pass
    assert lend(opened, "b").name == "b"
    opened.close()


@pytest.mark.parametrize("shared", [False, True])
def test_threads_share_only_handlers_that_say_so(shared):
    opened = Opened()
    barrier = threading.Barrier(2)
    together = []

    def use():
        with opened.acquire("a", Handler, shared):
            try:
                barrier.wait(10 if shared else 0.2)
                together.append(True)
            except threading.BrokenBarrierError:
                together.append(False)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [shared, shared]


def test_many_threads_make_one_handler():
    opened = Opened(most=3)
    made = []

    def make():
        made.append(1)
        return Handler()

    def use():
        for _ in range(50):
            with opened.acquire("a", make, True) as handler:
                assert not handler.closed

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_its_own_and_closes_none_of_its_parent():
    opened = Opened()
    handler = lend(opened, "a")
    # The lock is held in the parent, as by another thread: it is never released in the child.
    with opened._lock:
        child = os.fork()
        if child == 0:
            fine = lend(opened, "a") is not handler and not handler.closed
            opened.close()
            os._exit(0 if fine and not handler.closed else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert lend(opened, "a") is handler


def test_a_registry_closes_its_own_handlers_only():
    registries = Registry(discover=False), Registry(discover=False)
    resource = {"uid": "r", "spec": "LAB", "root": "/", "resource_path": "x"}
    handlers = []
    for registry in registries:
        registry.register_handler("LAB", Handler)
        with registry.opened(resource, DataReference()) as handler:
            handlers.append(handler)
    registries[0].close()
    assert [handler.closed for handler in handlers] == [True, False]
    registries[1].close()


def test_changes_of_handler_and_root_map_apply_at_once():
    registry = Registry({"LAB": Handler}, discover=False)
    resource = {"uid": "r", "spec": "LAB", "root": "/data", "resource_path": "x"}

    def now():
        with registry.opened(resource, DataReference()) as handler:
            return type(handler), handler.name

    class Other(Handler): ...

    assert now() == (Handler, "/data/x")
    registry.root_map["/data"] = "/mnt"
    assert now() == (Handler, "/mnt/x")
    registry.register_handler("LAB", Other, overwrite=True)
    assert now() == (Other, "/mnt/x")
    registry.close()
