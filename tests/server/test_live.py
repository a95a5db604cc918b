"""Server-sent events: what other programs are told, and who is told what."""

import asyncio
import json
import os
import socket
import time
from contextlib import contextmanager
from functools import partial
from itertools import islice

import httpx
import numpy as np
import pytest
from starlette.requests import Request

from databroker import Broker
from databroker.errors import NoSuchRun
from databroker.query.nodes import Equals, Path
from databroker.server import Limits
from databroker.server.access.caller import ANYBODY, Caller
from databroker.server.capacity import Capacity
from databroker.server.live import endpoints
from databroker.server.live.event_stream import WithStreams
from databroker.server.live.messages import short_of_runs
from databroker.server.signing.signer import Signer
from databroker.server.source import ServedSource
from databroker.stores.http import HTTPStore
from databroker.stores.narrowed import NarrowedStore
from helpers.http_server import TOKEN
from helpers.run_builder import RunBuilder, number

FOLLOWERS = 300


@pytest.fixture
def name(http_server):
    """A source that nobody else asks."""
    return http_server.take()


@pytest.fixture
def db(http_server, name):
    """A broker of it."""
    with Broker(HTTPStore(http_server.uri(name), token=TOKEN)) as broker:
        yield broker


@pytest.fixture
def told(http_server, name):
    """Has what is told at an address."""
    headers = {"Authorization": f"Bearer {TOKEN}"}

    @contextmanager
    def open_stream(path, last=None, **params):
        more = {} if last is None else {"Last-Event-ID": last}
        url = f"{http_server.uri(name)}/v1/live{path}"
        with httpx.stream("GET", url, params=params, headers=headers | more) as response:
            yield messages(response)

    return open_stream


def messages(response):
    """Yield the event, the id and the data of each message, as browsers take them."""
    assert response.headers["content-type"].startswith("text/event-stream")
    last, fields = None, {}
    for line in response.iter_lines():
        key, _, value = line.partition(": ")
        fields |= {key: value} if key else {}
        if not line:
            last = fields.get("id", last)
            if "id" in fields or "data" in fields:
                yield fields.get("event"), last, json.loads(fields.get("data", "null"))
            fields = {}


def test_runs_are_told_once_from_an_id_on(db, told):
    RunBuilder(db, "before").stop()
    with told("/runs") as events:
        _, begun, _ = next(events)
    run = RunBuilder(db, "a")
    with told("/runs", begun) as events:
        next(events)
        event, last, data = next(events)
    assert (event, data) == ("start", {"uid": "a", "start": dict(run.header.start)})
    run.stop()
    RunBuilder(db, "b").stop()
    with told("/runs", last) as events:
        found = [(event, data["uid"]) for event, _, data in islice(events, 1, 4)]
    assert found == [("stop", "a"), ("start", "b"), ("stop", "b")]


def test_documents_are_told_once_from_an_id_on_until_the_end(db, told, http_server, name):
    run = RunBuilder(db, time=time.time())
    det = run.descriptor(["det"])
    run.event(det, det=float("nan"))
    with told("/runs/run") as events:
        _, last, data = next(events)
        assert [kind for kind, _ in data] == ["start", "descriptor", "event"]
        assert data[2][1]["data"] == {"det": None}  # which JSON has instead
        run.event(det, det=2)
        _, last, data = next(events)
        assert [doc["data"] for _, doc in data] == [{"det": 2}]
    run.page(det, [*range(3, 250)], det=[*range(3, 250)])
    run.stop()
    with told("/runs/run", last) as events:
        *batches, end = events
    found = [pair for _, _, data in batches for pair in data]
    assert [doc.get("seq_num") for _, doc in found] == [*range(3, 250), None]
    assert end[0] == "end"
    ended = httpx.get(
        f"{http_server.uri(name)}/v1/live/runs/run",
        headers={"Authorization": f"Bearer {TOKEN}", "Last-Event-ID": end[1]},
    )
    assert ended.status_code == 204  # so that browsers leave it


def test_of_large_documents_there_are_few_in_a_message(db, told):
    run = RunBuilder(db, time=time.time())
    wide = run.descriptor({"wave": number("array", [30_000])})
    for n in range(12):
        run.event(wide, wave=np.full(30_000, n))
    run.stop()
    with told("/runs/run") as events:
        *batches, _ = events
    found = [pair for _, _, data in batches for pair in data]
    assert [kind for kind, _ in found] == ["start", "descriptor", *["event"] * 12, "stop"]
    assert max(len(data) for _, _, data in batches) <= 5
    with told("/runs/run", batches[0][1]) as events:
        again = [pair for _, _, data in list(events)[:-1] for pair in data]
    assert again == found[len(batches[0][2]) :]


def test_one_stream_and_some_fields_are_told_and_what_is_not_there(db, told):
    run = RunBuilder(db, time=time.time())
    run.event(run.descriptor(["det", "motor"]), det=1, motor=2)
    run.event(run.descriptor(["temperature"], name="baseline"), temperature=3)
    run.stop()
    with told("/runs/run", stream="primary", fields="motor") as events:
        _, _, data = next(events)
    assert [doc["data"] for kind, doc in data if kind == "event"] == [{"motor": 2}]
    with told("/runs/run", stream="primary", fields="moter") as events:
        *_, (event, _, problem) = events
    assert (event, problem["code"]) == ("problem", "no-such-field")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/runs/nowhere", 404, "no-such-run"),
        ("/runs?cursor=here", 400, "invalid-request"),
        ('/runs?cursor={"mark":[1,"a"],"known":[],"open":{}}', 400, "invalid-request"),
        ("/runs?cursor=[]", 400, "invalid-key"),
        ("?heartbeat=0", 400, "invalid-request"),
    ],
)
def test_what_cannot_be_told_is_refused(http_server, db, name, path, status, code):
    url = f"{http_server.uri(name)}/v1/live{path}"
    with httpx.stream("GET", url, headers={"Authorization": f"Bearer {TOKEN}"}) as response:
        if response.status_code == 200:  # what a store finds out
            *_, (event, _, problem) = messages(response)
            assert event == "problem"
        else:
            problem = json.loads(response.read())
            assert response.status_code == status
    assert problem["code"] == code


def test_nobody_is_told_without_the_token(http_server, name):
    for path in ("", "/runs", "/runs/run"):
        assert httpx.get(f"{http_server.uri(name)}/v1/live{path}").status_code == 401


def test_very_many_followers_take_no_threads_and_leave_nothing(http_server, db, name):
    def threads():
        return len(os.listdir(f"/proc/{http_server.pid}/task"))

    def files():
        return len(os.listdir(f"/proc/{http_server.pid}/fd"))

    db.store.state()
    threads_before, files_before = threads(), files()
    ends = [_listen(http_server, name) for _ in range(FOLLOWERS)]
    for end in ends:
        _until(end, b"event: changed")
    assert threads() <= threads_before + 50
    RunBuilder(db)
    for end in ends:
        _until(end, b"event: changed")
        end.close()
    for _ in range(600):
        if files() <= files_before + 10:
            break
        time.sleep(0.1)
    assert files() <= files_before + 10


def _listen(server, name):
    end = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    head = f"GET /{name}/v1/live HTTP/1.1\r\nHost: localhost\r\n"
    end.sendall(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
    return end


def _until(end, text):
    found = b""
    while text not in found:
        data = end.recv(2**16)
        assert data, found
        found += data


# -- who may see some runs alone ------------------------------------------


@pytest.fixture
def source():
    """A source in memory, and the broker of it."""
    with Broker.from_config({"driver": "memory"}) as db:
        yield ServedSource(db.session, True, Signer("secret"), Capacity(Limits())), db


ANN = Caller("ann", frozenset({"read"}), Equals(Path("proposal"), "1"))


def test_who_may_see_some_runs_is_not_told_of_others(source):
    served, db = source[0].to(ANN), source[1]

    async def listen():
        async with served.listening() as mine, source[0].to(ANYBODY).listening() as all_:
            RunBuilder(db, "hers", proposal="2")
            assert await all_.wait(60)
            assert not await mine.wait(0.2)
            RunBuilder(db, "mine", proposal="1")
            assert await mine.wait(60)

    asyncio.run(listen())


def test_what_is_told_is_of_runs_that_they_may_see(source):
    served, db = source[0].to(ANN), source[1]
    hers = RunBuilder(db, "hers", proposal="2")
    RunBuilder(db, "mine", proposal="1").stop()

    async def tell(endpoint, **params):
        scope = {"type": "http", "headers": [], "query_string": b"cursor=", "path_params": params}
        response = await endpoint(served, Request(scope))
        found = b""

        async def send(message):
            nonlocal found
            found += message.get("body", b"")
            if b"RunStart of mine" in found:
                response.end()

        async def receive():
            await asyncio.sleep(60)

        await asyncio.wait_for(response(scope, receive, send), 60)
        return found.decode()

    with pytest.raises(NoSuchRun):
        asyncio.run(tell(endpoints.documents, uid="hers"))
    assert '"mine"' in asyncio.run(tell(endpoints.documents, uid="mine"))

    async def begin_meanwhile():
        loop = asyncio.get_running_loop()
        insert = partial(RunBuilder, db, "third", proposal="1", note="RunStart of mine")
        loop.call_later(0.2, hers.stop)
        loop.call_later(0.2, insert)
        return await tell(endpoints.runs)

    found = asyncio.run(begin_meanwhile())
    assert "third" in found
    assert "hers" not in found


def test_one_who_may_see_many_runs_has_ids_and_misses_none(source):
    db = source[1]
    goes_on = RunBuilder(db, "goes on", proposal="1", time=0.0)
    for n in range(1, 200):
        RunBuilder(db, f"{n} of very many runs", proposal="1", time=float(n)).stop()
    with Broker(NarrowedStore(db.store, ANN.query)) as hers:
        watch = hers.watch()
        cursor = short_of_runs(watch.cursor, watch.newest)
        assert len(json.dumps(cursor)) < len(json.dumps(watch.cursor)) / 2
        RunBuilder(db, "meanwhile", proposal="1").stop()
        goes_on.stop()
        again = hers.watch(cursor=json.loads(json.dumps(cursor)), timeout=0)
        found = [(name, run.uid) for name, run in again]
    assert found == [("stop", "goes on"), ("start", "meanwhile"), ("stop", "meanwhile")]


def test_one_looks_for_all_who_follow_a_run(source, monkeypatch):
    db, asked, sent = source[1], [], [[] for _ in range(30)]
    run = RunBuilder(db, time=time.time())
    det, outlines = run.descriptor(["det"]), db.store.outlines
    monkeypatch.setattr(db.store, "outlines", lambda uids: (asked.append(uids), outlines(uids))[1])
    scope = {"type": "http", "headers": [], "query_string": b"", "path_params": {"uid": "run"}}

    async def follow(mine):
        async def send(message):
            mine.append(message.get("body", b""))

        response = await endpoints.documents(source[0].to(ANYBODY), Request(scope))
        await response(scope, asyncio.Event().wait, send)

    async def until_all_have(text):
        while any(text not in b"".join(mine) for mine in sent):
            await asyncio.sleep(0.01)

    async def write():
        await until_all_have(b'"data_keys"')
        asked.clear()
        run.event(det, det=1)
        await until_all_have(b'"seq_num"')
        assert len(asked) < len(sent)
        run.stop()

    async def all_at_once():
        await asyncio.wait_for(asyncio.gather(write(), *map(follow, sent)), 60)

    asyncio.run(all_at_once())
    for mine in sent:
        told = b"".join(mine)
        assert (told.count(b'"seq_num"'), told.count(b"event: end")) == (1, 1)


def test_a_server_that_ends_ends_its_streams(source):
    served = source[0].to(ANYBODY)

    async def inside(scope, receive, send):
        await (await endpoints.changes(served, Request(scope)))(scope, receive, send)

    async def end():
        application, sent = WithStreams(inside), []

        async def send(message):
            sent.append(message.get("body", b""))
            if len(sent) == 3:  # the head, how to come again, and the state
                application.end_streams()

        scope = {"type": "http", "headers": [], "query_string": b""}
        await asyncio.wait_for(application(scope, asyncio.Event().wait, send), 60)
        return sent

    *_, state, last = asyncio.run(end())
    assert state.startswith(b"event: changed")
    assert last == b""
