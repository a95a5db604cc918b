"""Whether a server is alive and ready is told to anybody, and no more than that."""

import asyncio

import httpx
import pytest

from databroker.errors import StoreAway
from databroker.server import app
from databroker.stores.memory import MemoryStore


class Wavering(MemoryStore):
    """A store whose server may be away."""

    away = False
    asked = 0

    def reach(self):
        self.asked += 1
        if self.away:
            raise StoreAway("postgresql://ann:secret@db.example.org is away")


def get(application, *paths, **headers):
    """Return the answers to requests, which come together."""

    async def answers():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            asked = (client.get(path, headers=headers) for path in paths)
            return await asyncio.gather(*asked)

    return asyncio.run(answers())


@pytest.fixture
def fresh(monkeypatch):
    """No answer stands for long."""
    monkeypatch.setattr("databroker.server.monitoring.health._FRESH", 0.0)


def test_a_server_is_alive_and_ready_without_a_token():
    live, ready, other = get(app({"lab": Wavering()}, token="t"), "/healthz", "/readyz", "/lab/v1")
    assert (live.status_code, live.json()) == (200, {"status": "alive"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert other.status_code == 401


def test_a_store_that_is_away_makes_it_not_ready_and_is_told_in_the_log_alone(fresh, caplog):
    store = Wavering()
    application = app({"lab": MemoryStore(), "db": store}, token="t")
    store.away = True
    live, ready = get(application, "/healthz", "/readyz")
    assert live.status_code == 200
    assert (ready.status_code, ready.json()) == (503, {"status": "not ready"})
    assert "is away" in caplog.text
    store.away = False
    assert get(application, "/readyz")[0].status_code == 200


def test_stores_are_not_asked_by_each_request():
    store = Wavering()
    get(app(store, token="t"), *["/readyz"] * 20)
    assert store.asked == 1


def test_a_mounted_application_is_asked_below_its_place():
    from starlette.applications import Starlette
    from starlette.routing import Mount

    whole = Starlette(routes=[Mount("/db", app(MemoryStore()))])
    assert get(whole, "/db/readyz")[0].json() == {"status": "ready"}
