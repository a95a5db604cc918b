"""How much is answered at once, and for how long: what is too much is told as an error of ours."""

import asyncio
import gc
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import pytest

from databroker._util.polling import wait_until
from databroker.errors import InvalidConfiguration, QueryTimeout, ServerBusy, TooManyRequests
from databroker.query import nodes as n
from databroker.query.nodes import Everything
from databroker.query.time_limit import check_time
from databroker.query.wire import to_json
from databroker.server import Limits, capacity
from databroker.stores.base import RunRecord
from databroker.stores.http import HTTPStore
from databroker.stores.memory import MemoryStore
from databroker.testing.conformance.base import start
from helpers.serving import served

JSON = {"Content-Type": "application/json"}
QUESTION = {"query": to_json(Everything())}


class Slow(MemoryStore):
    """A store that counts until it is let, and heeds a limit of time."""

    def __init__(self):
        super().__init__()
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()
        self.given_up = threading.Semaphore(0)

    def count(self, query):
        self.asked.release()
        try:
            while not self.go.wait(0.01):
                self.heed()
        except QueryTimeout:
            self.given_up.release()
            raise
        return 5

    def heed(self):
        check_time()

    def find(self, query, *, limit=None, after=None):
        yield RunRecord("run", start(note="x" * 2**17), None, [1.5, 1])
        yield RunRecord("run", start(time=self.count(query)), None, [1.5, 1])


class Deaf(Slow):
    """A store that heeds nothing."""

    def heed(self):
        pass


@contextmanager
def counting(server, store, number):
    """Have so many clients ask for a count, of which the store knows."""
    with ThreadPoolExecutor(number) as clients:
        try:
            asked = [clients.submit(server.post, "count", json=QUESTION) for _ in range(number)]
            for _ in asked:
                assert store.asked.acquire(timeout=30)
            yield asked
        finally:
            store.go.set()


def test_what_takes_longer_than_the_limit_is_given_up():
    store = Slow()
    with served(store, Limits(answer_seconds=0.2)) as server:
        answer = server.post("count", json=QUESTION)
        assert (answer.status_code, answer.json()["code"]) == (504, "query-timeout")
        assert store.given_up.acquire(timeout=30)
        with closing(HTTPStore(server.uri)) as client:
            runs = client.find(Everything())
            assert next(runs).uid == "run"
            with pytest.raises(QueryTimeout, match=r"longer than 0\.2 s"):
                next(runs)


def test_what_heeds_no_limit_is_left_to_itself(monkeypatch):
    monkeypatch.setattr(capacity, "_GRACE", 0.1)
    store = Deaf()
    with served(store, Limits(answer_seconds=0.2, threads=4)) as server:
        for _ in range(2):
            answer = server.post("count", json=QUESTION)
            assert (answer.status_code, answer.json()["code"]) == (504, "query-timeout")
        with closing(HTTPStore(server.uri)) as client:
            with pytest.raises(QueryTimeout):
                list(client.find(Everything()))
            assert client.record("run") is None  # by the thread that is left
        store.go.set()


def test_what_nobody_waits_for_any_more_is_given_up(monkeypatch):
    monkeypatch.setattr(capacity, "_SOON", 0.05)
    store = Slow()
    with served(store, Limits(answer_seconds=3600)) as server:
        with pytest.raises(httpx.ReadTimeout):
            server.post("count", json=QUESTION, timeout=0.2)
        assert store.given_up.acquire(timeout=30)
        with httpx.stream("POST", f"{server.uri}/v1/find", json=QUESTION) as answer:
            next(answer.iter_raw())
            assert store.asked.acquire(timeout=30)
            assert store.asked.acquire(timeout=30)
        assert store.given_up.acquire(timeout=30)


def test_one_who_asks_too_much_at_once_is_told_to_come_again():
    store = Slow()
    with served(store, Limits(requests_per_caller=2)) as server:
        with counting(server, store, 2) as asked:
            refused = server.post("count", json=QUESTION)
            assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
            assert refused.headers["retry-after"] == "1"
            with closing(HTTPStore(server.uri, connect=False)) as client:
                threading.Timer(0.3, store.go.set).start()
                assert client.count(Everything()) == 5  # it came again
        assert [each.result().status_code for each in asked] == [200, 200]
        assert server.post("count", json=QUESTION).status_code == 200


def test_a_server_that_has_enough_to_do_says_so():
    store = Slow()
    with (
        served(store, Limits(requests=2)) as server,
        counting(server, store, 2),
    ):
        refused = server.post("count", json=QUESTION)
        assert (refused.status_code, refused.json()["code"]) == (503, "server-busy")
        assert refused.headers["retry-after"] == "1"


def test_one_caller_has_a_quarter_of_the_threads():
    begun, go = threading.Semaphore(0), threading.Event()

    def work():
        begun.release()
        assert go.wait(30)

    async def ask():
        threads = capacity.Threads(8, 60)
        tasks = [asyncio.create_task(threads.run("ann", work)) for _ in range(10)]
        await asyncio.to_thread(begun.acquire)
        await asyncio.to_thread(begun.acquire)
        assert await threads.run("bob", lambda: "at once") == "at once"
        assert not begun.acquire(blocking=False)
        go.set()
        await asyncio.gather(*tasks)

    asyncio.run(ask())


def test_large_requests_of_a_caller_are_worked_on_one_after_the_other(monkeypatch):
    monkeypatch.setattr(capacity, "_TURN", 10_000)
    store = Slow()
    body = json.dumps(QUESTION | {"query": {"node": "data_key", "name": "x" * 6_000}})
    with served(store) as server, ThreadPoolExecutor(2) as clients:
        try:
            asked = [
                clients.submit(server.post, "count", content=body, headers=JSON) for _ in range(2)
            ]
            assert store.asked.acquire(timeout=30)
            assert server.post("size", json={}).status_code == 200  # a small one does not wait
            assert not store.asked.acquire(timeout=0.3)
        finally:
            store.go.set()
        assert [each.result().status_code for each in asked] == [200, 200]


def test_turns_are_taken_in_order_and_others_have_their_own():
    taken = []

    async def take(turns, caller, size, go):
        async with turns.taken(caller, size):
            taken.append((caller, size))
            await go.wait()

    async def ask():
        turns, go = capacity.Turns(10_000), asyncio.Event()
        asked = [("ann", 6_000), ("ann", 10**9), ("ann", 5_000), ("bob", 9_000), ("ann", 10)]
        tasks = [asyncio.create_task(take(turns, *each, go)) for each in asked]
        for _ in range(10):
            await asyncio.sleep(0)
        assert sorted(taken) == [("ann", 10), ("ann", 6_000), ("bob", 9_000)]
        go.set()
        await asyncio.gather(*tasks)
        assert taken[-2:] == [("ann", 10**9), ("ann", 5_000)]

    asyncio.run(ask())


def test_one_caller_has_half_of_the_memory_for_requests():
    memory = capacity.Quota(100, 50, "all", "yours")
    with capacity.Held(memory, "ann") as mine, capacity.Held(memory, "bob") as others:
        mine.add(50)
        with capacity.Held(memory, "ann") as more, pytest.raises(TooManyRequests, match="yours"):
            more.add(1)
        others.add(50)
        with capacity.Held(memory, "eve") as third, pytest.raises(ServerBusy, match="all"):
            third.add(1)
    with capacity.Held(memory, "ann") as mine:
        mine.add(50)
        with mine.pop_all():
            pass
        with capacity.Held(memory, "ann") as more:
            more.add(50)


def test_a_question_counts_until_the_last_part_of_its_answer_is_sent():
    store = Slow()
    body = json.dumps(QUESTION | {"query": {"node": "data_key", "name": "x" * 6_000}})
    with served(store, Limits(request_bytes=150_000, held_bytes=150_000)) as server:
        address = f"{server.uri}/v1/find"
        with httpx.stream("POST", address, content=body, headers=JSON) as answer:
            parts = answer.iter_raw()
            next(parts)
            assert store.asked.acquire(timeout=30)
            refused = server.post("find", content=body, headers=JSON)
            assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
            store.go.set()
            for _ in parts:
                pass
        assert server.post("find", content=body, headers=JSON).status_code == 200


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        ("insert", b'{"kind": "start", "doc": {"refused": []}}'),
        ("find", b'{"query": {"node": "everything"}, "after": "refused"}'),
    ],
)
def test_what_was_refused_is_not_kept_by_a_reference_cycle_of_its_error(call, sent):
    with served(MemoryStore()) as server:
        gc.collect()
        gc.disable()
        try:
            assert server.post(call, content=sent, headers=JSON).status_code == 400
            assert wait_until(lambda: not is_there("refused"), 2)
        finally:
            gc.enable()


def is_there(word):
    """Tell whether a dictionary has a word, as one that a request above is made has it."""
    found = [each for each in gc.get_objects() if type(each) is dict]
    return any(word in each or each.get("after") == word for each in found)


def test_large_requests_share_what_memory_there_is():
    store = Slow()
    body = json.dumps(QUESTION | {"query": {"node": "data_key", "name": "x" * 6_000}})
    limits = Limits(request_bytes=10_000, held_bytes=10_000)
    with served(store, limits) as server, ThreadPoolExecutor(1) as client:
        asked = client.submit(server.post, "count", content=body, headers=JSON)
        assert store.asked.acquire(timeout=30)
        try:
            assert server.post("size", json={}).status_code == 200
            second = server.post("count", content=body, headers=JSON)
            assert (second.status_code, second.json()["code"]) == (429, "too-many-requests")
        finally:
            store.go.set()
        assert asked.result().status_code == 200
        assert server.post("count", content=body, headers=JSON).status_code == 200


def test_a_pattern_that_takes_too_long_is_given_up_and_holds_up_nobody():
    store = MemoryStore()
    store.insert("start", start(note="a" * 60 + "b"))
    question = {"query": to_json(n.Matches(n.Path("note"), "(?:a|aa)+$"))}
    with served(store) as server, ThreadPoolExecutor(1) as client:
        asked = client.submit(server.post, "count", json=question)
        assert server.post("size", json={}).status_code == 200
        assert asked.result().status_code == 504
        assert asked.result().json()["code"] == "query-timeout"


@pytest.mark.parametrize("name", ["threads", "answer_seconds", "request_bytes"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limits_are_more_than_nothing(name, value):
    with pytest.raises(InvalidConfiguration, match=name):
        Limits(**{name: value})
