"""What a server does is told in numbers, to those who may see it."""

import asyncio
import os
import subprocess
import sys

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from databroker.server import app
from databroker.stores.memory import MemoryStore
from databroker.testing.conformance.base import start

ADMIN = {"Authorization": "Bearer t"}
LABELS = ("source", "call", "status")
EVERYTHING = {"query": {"node": "everything"}}


def numbers(text):
    """Return the samples of a page by their names and labels."""
    return {
        (sample.name, *(sample.labels[name] for name in LABELS if name in sample.labels)): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def _asked(application, requests):
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return [await client.request(*request[:2], **request[2]) for request in requests]


def ask(application, *requests):
    return asyncio.run(_asked(application, requests))


@pytest.fixture
def application():
    return app({"lab": MemoryStore()}, token="t", allow_writing=True, metrics=True)


def test_requests_and_their_bytes_are_counted_by_source_and_call(application):
    *answers, page = ask(
        application,
        ("POST", "/lab/v1/count", {"json": EVERYTHING, "headers": ADMIN}),
        ("POST", "/lab/v1/count", {"json": EVERYTHING}),
        ("POST", "/lab/v1/insert", {"json": {"kind": "start", "doc": start()}, "headers": ADMIN}),
        ("GET", "/lab/v1/about", {"headers": ADMIN}),
        ("GET", "/metrics", {"headers": ADMIN}),
    )
    found = numbers(page.text)
    assert found["databroker_requests_total", "lab", "count", "200"] == 1
    assert found["databroker_requests_total", "lab", "count", "401"] == 1
    assert found["databroker_requests_total", "lab", "insert", "200"] == 1
    assert found["databroker_request_seconds_count", "lab", "count"] == 2
    sent = sum(len(answer.content) for answer in answers[:2])
    assert found["databroker_sent_bytes_total", "lab", "count"] == sent
    asked = sum(len(answer.request.content) for answer in answers[:1])  # who is unknown is not read
    assert found["databroker_received_bytes_total", "lab", "count"] == asked
    assert found["databroker_open_requests", "lab", "count"] == 0


def test_what_is_not_there_makes_no_numbers_of_its_own(application):
    *_, page = ask(
        application,
        *[("GET", f"/{n}/v1/{n}", {"headers": ADMIN}) for n in range(50)],
        ("GET", "/metrics", {"headers": ADMIN}),
    )
    found = numbers(page.text)
    assert found["databroker_requests_total", "other", "other", "404"] == 50
    assert {key[1] for key in found if key[0] == "databroker_requests_total"} == {"other"}


def test_they_are_told_to_who_is_let_in_alone(application):
    assert [answer.status_code for answer in ask(application, ("GET", "/metrics", {}))] == [401]


def test_they_are_told_only_if_it_is_wished():
    silent = app({"lab": MemoryStore()}, token="t")
    assert ask(silent, ("GET", "/metrics", {"headers": ADMIN}))[0].status_code == 404


def test_who_may_not_see_how_a_server_does_is_told_so(monkeypatch):
    from databroker.server.access import tokens

    monkeypatch.setattr(tokens, "SCOPES", ("read",))
    reading = app({"lab": MemoryStore()}, token="t", metrics=True)
    (answer,) = ask(reading, ("GET", "/metrics", {"headers": ADMIN}))
    assert answer.status_code == 403
    assert answer.json()["code"] == "not-permitted"


def test_what_is_open_is_not_that_of_processes_that_are_gone(tmp_path, monkeypatch):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = [f"{kind}_{pid}.db" for kind in ("gauge_livesum", "counter") for pid in (gone.pid, 1)]
    for name in [*names, f"gauge_livesum_{os.getpid()}.db"]:
        (tmp_path / name).touch()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    app({"lab": MemoryStore()}, metrics=True)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*names, f"gauge_livesum_{os.getpid()}.db"} - {f"gauge_livesum_{gone.pid}.db"}
