"""Followers over the wire: across servers that end, lines that are cut, and several processes."""

import io
import json
import random
import threading
import time
from contextlib import ExitStack, closing, contextmanager

import pytest

from databroker import Broker
from databroker.errors import StoreUnavailable
from databroker.stores.federation import FederatedStore
from databroker.stores.http import HTTPStore, change_listener
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from helpers.http_server import Server
from helpers.proxy import Line
from helpers.run_builder import RunBuilder

EVENTS = 60


@contextmanager
def written(path):
    """Have a run written into a file, bit by bit, by another thread."""
    with Broker(SQLiteStore(path)) as writer:
        run = RunBuilder(writer, time=time.time())
        det = run.descriptor(["det"])

        def write():
            for n in range(1, EVENTS + 1):
                run.event(det, det=n)
                time.sleep(0.02)
            run.stop()

        thread = threading.Thread(target=write)
        thread.start()
        yield
        thread.join()


def rows(follower):
    return [doc["seq_num"] for kind, doc in follower if kind == "event"]


def test_a_server_that_is_killed_and_started_anew(tmp_path):
    with (
        closing(Server(tmp_path)) as server,
        written(server.path("lab")),
        Broker(HTTPStore(server.uri("lab"))) as db,
    ):
        RunBuilder(db, "another", time=time.time())
        follower = db["run"].follow()
        found = [next(follower) for _ in range(5)]
        server.kill()
        threading.Timer(0.3, server.start).start()
        assert rows([*found, *follower]) == [*range(1, EVENTS + 1)]
        assert db["another"].status == "running"  # though the process that stored it is gone


def test_a_line_that_is_cut_again_and_again(server):
    line, name = Line(("127.0.0.1", server.port)), server.take()
    over = threading.Event()

    def cut():
        longest = 0.3  # which grows: within it, a busy machine must get an answer, too
        while not over.wait(random.uniform(0.05, longest)):
            line.cut()
            line.restore()
            longest *= 1.05

    cutting = threading.Thread(target=cut)
    with written(server.path(name)), Broker(HTTPStore(server.uri(name))) as near:
        near.insert("start", {"uid": "another", "time": 1.0})
        with Broker(HTTPStore(f"http://127.0.0.1:{line.port}/{name}")) as db:
            cutting.start()
            follower, watch = db["run"].follow(), db.watch()
            assert rows(follower) == [*range(1, EVENTS + 1)]
            near.insert("stop", {"uid": "s", "run_start": "another", "time": 2.0})
            told = [(name, run.uid) for name, run in (next(watch), next(watch))]
            assert sorted(told) == [("stop", "another"), ("stop", "run")]
            over.set()
            cutting.join()
    line.cut()


def test_all_followers_of_a_process_listen_together(server):
    with Broker(HTTPStore(server.uri(server.take()))) as db, ExitStack() as stack:
        run = RunBuilder(db, time=time.time())
        found = [[] for _ in range(20)]
        for each in found:
            follower = run.header.follow()
            stack.enter_context(follower.subscribe(lambda kind, _, each=each: each.append(kind)))
        det = run.descriptor(["det"])
        run.event(det, det=1)
        for _ in range(600):
            if all(len(each) == 3 for each in found):
                break
            time.sleep(0.1)
        assert found == [["start", "descriptor", "event"]] * 20
        heard = [each for each in threading.enumerate() if each.name == "databroker-listens"]
        assert len(heard) == 1
    for each in heard:  # as the store is closed
        each.join(60)
        assert not each.is_alive()


def test_several_sources_wait_for_what_their_servers_tell(server, monkeypatch):
    with Broker(HTTPStore(server.uri(server.take()))) as near:
        store = FederatedStore({"near": near.store, "here": MemoryStore()})
        asked, ask = [], near.store.ask
        monkeypatch.setattr(near.store, "ask", lambda *args: (asked.append(args[0]), ask(*args))[1])
        while not near.store._listener.hears:
            store.wait_for_changes(store.state(), 0.02)
        asked.clear()
        assert not store.wait_for_changes(store.state(), 0.2)
        assert asked == ["state"]
        threading.Timer(0.05, RunBuilder, [near]).start()
        assert store.wait_for_changes(store.state(), 60)


def test_it_stops_to_listen_when_nobody_waits(server, monkeypatch):
    monkeypatch.setattr(change_listener, "_LINGERS", 0.0)
    monkeypatch.setattr(change_listener, "_HEARTBEAT", 0.1)
    with Broker(HTTPStore(server.uri(server.take()))) as db:
        assert list(db.watch(timeout=0.5)) == []
        for each in threading.enumerate():
            if each.name == "databroker-listens":
                each.join(60)
                assert not each.is_alive()


@contextmanager
def of_nothing_known():
    yield io.BytesIO(b"event: changed\ndata: <html>\n\n")


def refused():
    raise StoreUnavailable("no such address")


@pytest.mark.parametrize("told", [refused, of_nothing_known])
def test_where_nothing_is_told_the_server_is_asked(server, monkeypatch, told):
    with Broker(HTTPStore(server.uri(server.take()))) as db:
        answer = db.store._connection.answer

        def without_live(method, name, body, pauses):
            return told() if name.startswith("live") else answer(method, name, body, pauses)

        monkeypatch.setattr(db.store._connection, "answer", without_live)
        watch = db.watch()
        threading.Timer(0.3, RunBuilder, [db]).start()
        assert next(watch)[0] == "start"


def test_what_is_written_through_one_process_is_told_by_another(server):
    name = server.take()
    with (
        closing(Server(server.place)) as another,
        Broker(HTTPStore(another.uri(name))) as writer,
        Broker(HTTPStore(server.uri(name))) as db,
    ):
        watch, asked = db.watch(), []
        ask = db.store.ask

        def ask_either(method, *args, **how):
            """Ask as where connections go to one process or the other."""
            asked.append(method)
            one = random.choice([ask, writer.store.ask]) if method == "state" else ask
            return one(method, *args, **how)

        db.store.ask = ask_either
        for n in range(5):
            RunBuilder(writer, f"run {n}", time=float(n))
            assert next(watch)[1].uid == f"run {n}"
        asked.clear()
        threading.Timer(1.0, RunBuilder, [writer, "last"]).start()
        assert next(watch)[1].uid == "last"
        assert len(asked) < 30  # and not again and again while it waits


@pytest.mark.parametrize("line", ["event: x", "data: {}", ":"])
def test_messages_are_read_as_browsers_read_them(line):
    lines = [each.encode() + b"\r\n" for each in (line, "", "event: changed", "data: 1", "data: 2")]
    *_, (name, data) = change_listener.events([*lines, b"\n"])
    assert (name, json.loads(data.replace("\n", ""))) == ("changed", 12)
