"""Who is let in by a key, for what, and until when: over a socket."""

import asyncio
import hmac
import json
import logging
import threading
import time
from contextlib import closing
from urllib.parse import quote

import httpx
import pytest

from databroker import Broker
from databroker.documents.encode import encode
from databroker.errors import (
    AccessRefused,
    InvalidConfiguration,
    InvalidRequest,
    NotPermitted,
    SpillWarning,
    StoreIsReadOnly,
    StoreUnavailable,
)
from databroker.query.nodes import Everything
from databroker.server import Access, Caller, KeyFile
from databroker.server.access.audit import OneLine
from databroker.server.access.authenticator import Credentials
from databroker.server.signing.signer import Signer
from databroker.stores.http import HTTPStore
from databroker.testing.conformance.base import insert_all, start, stop, whole_run
from helpers.door import MINE, TOKEN, Door, run_of_proposal

EVERYTHING = {"query": Everything()}


def whom(name, *scopes):
    return Caller(name, frozenset(scopes or ("read",)))


def refused(response, code="access-refused", status=401):
    assert (response.status_code, response.json()["code"]) == (status, code)
    return response.json()["message"]


def test_a_key_lets_in_at_once_until_it_is_revoked(door):
    key = door.key("short")
    assert door.answer(key, "count", **EVERYTHING) >= 2
    other = KeyFile(door.keys.path)  # as another process has it
    other.revoke("short")
    refused(door.ask(key, "count", **EVERYTHING))
    other.make(whom("again"))
    refused(door.ask(key, "count", **EVERYTHING))


def test_a_key_of_one_name_is_not_another_one(door):
    first = door.key("twice")
    door.keys.revoke("twice")
    second = door.key("twice")
    refused(door.ask(first, "count", **EVERYTHING))
    mixed = "_".join([*second.split("_", 2)[:2], first.split("_", 2)[2]])
    refused(door.ask(mixed, "count", **EVERYTHING))
    assert door.ask(second, "count", **EVERYTHING).status_code == 200


def test_an_expired_key_says_so_to_who_has_it(door):
    key = door.key("late", expires=time.time() - 1)
    assert "has expired" in refused(door.ask(key, "count", **EVERYTHING))
    message = refused(door.ask(key[:-1] + "?", "count", **EVERYTHING))
    assert "expired" not in message
    assert "databroker keys make" in message


@pytest.mark.parametrize(
    "token",
    [
        *("dbk", "dbk_", "dbk__", "dbk_a_b", "dbk_\u00e9_b", "a.b.c", "..", "x" * 5_000),
        *(TOKEN[:-1], TOKEN + "e", TOKEN.upper(), "null", "*"),
    ],
)
def test_whatever_else_is_brought_is_refused(door, token):
    headers = [("Authorization", f"Bearer {token}".encode())]
    refused(door.ask(None, "count", headers=headers, **EVERYTHING))


def test_several_tokens_are_none(door):
    for tokens in ((TOKEN, TOKEN), (TOKEN, "wrong"), ("wrong", TOKEN)):
        headers = [("Authorization", f"Bearer {each}") for each in tokens]
        refused(door.ask(None, "count", headers=headers, **EVERYTHING))


def test_secrets_are_compared_in_constant_time(door, monkeypatch):
    key, signer = door.key("constant"), Signer()
    signed = signer.sign("cursor", 1)
    for token in (TOKEN, key):
        assert door.ask(token, "count", **EVERYTHING).status_code == 200
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: False)  # nothing else decides
    for token in (TOKEN, key):
        refused(door.ask(token, "count", **EVERYTHING))
    with pytest.raises(InvalidRequest):
        signer.unsign("cursor", signed)


def test_the_id_and_the_hash_of_a_key_are_of_no_use(door):
    door.key("known")
    data = json.loads(door.keys.path.read_text())["keys"]
    for id, each in data.items():
        for secret in (each["sha256"], each["name"], id):
            refused(door.ask(f"dbk_{id}_{secret}", "count", **EVERYTHING))


def test_a_key_to_read_does_not_write(door):
    key = door.key("reader")
    before = door.answer(TOKEN, "count", **EVERYTHING)
    for call, arguments in (
        ("insert", {"kind": "start", "doc": start("new")}),
        ("insert_many", {"documents": [("start", start("new"))]}),
        ("insert_batches", {"kind": "event", "owner": "mine-desc", "batches": []}),
    ):
        message = refused(door.ask(key, call, **arguments), "not-permitted", 403)
        assert "'key:reader' may not write here, but only read" in message
    assert door.answer(TOKEN, "count", **EVERYTHING) == before
    store = HTTPStore(f"{door.uri}/lab", token=key)
    assert not store.capabilities.writable
    with pytest.raises(StoreIsReadOnly, match="a key with the scope 'write'"):
        store.insert("start", start("new"))
    store.close()


def test_a_key_to_write_does_not_read(door):
    key = door.key("writer", "write")
    store = HTTPStore(f"{door.uri}/lab", token=key)
    store.insert_many(whole_run("written"))
    with pytest.raises(NotPermitted, match="may not read here, but only write"):
        store.count(Everything())
    store.close()
    assert door.answer(TOKEN, "record", uid="written")[0] == "written"


def test_a_key_is_a_token_to_a_broker(door, monkeypatch):
    monkeypatch.setenv("DATABROKER_TOKEN", door.key("ann", query=MINE))
    config = {"driver": "http", "uri": f"{door.uri}/lab", "spill": False}
    with Broker.from_config(config) as db:
        assert [run.uid for run in db()] == ["mine"]
        assert len(db["mine"].table()) == 3
    door.keys.revoke("ann")
    with pytest.raises(AccessRefused, match="DATABROKER_TOKEN"):
        Broker.from_config(config)


def eventually(condition):
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come true")


def test_a_key_that_ends_amid_a_run_ends_no_experiment(door, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABROKER_TOKEN", door.key("ends amid", "write"))
    uri, spill = f"{door.uri}/lab", str(tmp_path / "spill")
    with Broker.from_config({"driver": "http", "uri": uri, "spill": spill}) as db:
        first, *rest = whole_run("going on")
        db.insert(*first)
        door.keys.revoke("ends amid")
        with pytest.warns(SpillWarning, match="not, or no longer, one of this server"):
            insert_all(db, rest)
        monkeypatch.setenv("DATABROKER_TOKEN", door.key("reads alone"))
        eventually(lambda: "but only read" in db.store.waiting().reason)
        monkeypatch.setenv("DATABROKER_TOKEN", door.key("writes anew", "write"))
        eventually(lambda: not db.store.waiting())
    assert len(door.answer(TOKEN, "record", uid="going on")) > 1


def test_a_key_in_an_address_lets_in_nobody_and_is_in_no_log(door, caplog):
    key = door.key("shown")
    caplog.set_level(logging.DEBUG)
    for token in (key, TOKEN):
        answer = httpx.get(f"{door.uri}/lab/v1/about", params={"token": token, "key": token})
        assert "databroker.open(address)" in refused(answer)
    door.answer(key, "count", **EVERYTHING)
    door.ask("dbk_1_" + key, "count", **EVERYTHING)
    secret = key.split("_", 2)[2]
    # What the client of these tests says is its own affair.
    said = [each.getMessage() for each in caplog.records if not each.name.startswith("http")]
    assert any("somebody from 127.0.0.1: GET /lab/v1/about: refused" in line for line in said)
    assert [line for line in said if secret in line or TOKEN in line] == []


def test_who_mistakes_a_source_is_told_which_there_are(door):
    with pytest.raises(StoreUnavailable, match=r"no source 'csx'\. It has: .*lab"):
        HTTPStore(f"{door.uri}/csx?token={TOKEN}")


def test_what_is_written_is_logged_with_who_and_how_it_went(door, caplog):
    caplog.set_level(logging.INFO, "databroker.audit")
    key = door.key("scribe", "write", query=MINE)
    door.answer(key, "insert", kind="start", doc=start("a\nb", proposal="1234"))
    door.answer(key, "insert_many", documents=run_of_proposal("many", "1234"))
    not_permitted = "not-permitted", 403
    refused(door.ask(key, "insert", kind="stop", doc=stop("others")), *not_permitted)
    refused(door.ask(door.key("r"), "insert", kind="start", doc=start("x")), *not_permitted)
    lines = [each.getMessage() for each in caplog.records if each.name == "databroker.audit"]
    assert lines == [
        "key:scribe from 127.0.0.1: insert start of run 'a\\nb': stored",
        "key:scribe from 127.0.0.1: insert_many start of run 'many', descriptor 'many-desc' of run "
        "'many', descriptor 'many-paged' of run 'many', resource 'many-res' of run 'many', datum "
        "of resource 'many-res' and 8 more: stored",
        "key:scribe from 127.0.0.1: insert stop of run 'others': not-permitted",
        "key:r from 127.0.0.1: /v1/insert: refused",
    ]


def test_nobody_writes_a_line_of_their_own_into_the_log(door, caplog):
    caplog.set_level(logging.INFO, "databroker.audit")
    key = door.key("forger", "write", query=MINE)
    forged = "\n2026-11-28 09:44:03,383 databroker.audit: key:root from 10.0.0.1: insert start"
    httpx.get(f"{door.uri}/lab/{quote(forged)}")
    door.ask(key, "insert", kind=f"start{forged}", doc=start("a", proposal="1234"))
    door.ask(key, "insert_many", documents=[("start" * 1000, start("a", proposal="1234"))])
    lines = [each.getMessage() for each in caplog.records if each.name == "databroker.audit"]
    assert [line.partition("'")[0] for line in lines] == [
        f"somebody from 127.0.0.1: GET /lab/\\n{forged[1:]}: refused",
        "key:forger from 127.0.0.1: insert ",
        "key:forger from 127.0.0.1: insert_many ",
    ]
    assert all(line.isprintable() and len(line) < 200 for line in lines)
    record = logging.makeLogRecord({"msg": "not in %s", "args": (f"/data{forged}",)})
    assert OneLine("%(message)s").format(record) == f"not in /data\\n{forged[1:]}"


def test_pages_of_sites_that_are_not_named_may_not_ask(door):
    preflight = {"Access-Control-Request-Method": "POST"}
    preflight["Access-Control-Request-Headers"] = "authorization,content-type,last-event-id"
    for origin, is_allowed in (
        ("https://site.example.org", True),
        ("https://evil.example.org", False),
        ("https://site.example.org.evil.org", False),
        ("null", False),
    ):
        for method, more in (("OPTIONS", preflight), ("GET", {})):
            headers = {"Origin": origin, "Authorization": f"Bearer {TOKEN}", **more}
            answer = httpx.request(method, f"{door.uri}/lab/v1/about", headers=headers)
            assert answer.headers.get("access-control-allow-origin") == (
                origin if is_allowed else None
            )
            assert "access-control-allow-credentials" not in answer.headers
            assert answer.is_success or not is_allowed


def test_a_page_of_another_site_writes_nothing_for_who_has_logged_in(door):
    # As a browser sends it without asking before: a form, with the cookies of a proxy.
    start_of = encode({"kind": "start", "doc": start("by a page", proposal="1234")})
    named = "https://site.example.org"
    for site, origin, is_allowed in (
        ("cross-site", "https://evil.example.org", False),
        ("same-site", "https://evil.example.org", False),
        ("cross-site", "null", False),
        ("cross-site", None, False),
        ("cross-site", named, True),
        ("same-origin", "https://of.this.server", True),
        ("none", None, True),
    ):
        headers = {"Content-Type": "text/plain", "Sec-Fetch-Site": site}
        headers |= {} if origin is None else {"Origin": origin}
        answer = httpx.post(
            f"{door.uri}/lab/v1/insert",
            content=start_of,
            headers=headers | {"Authorization": f"Bearer {TOKEN}"},
        )
        assert answer.status_code == (200 if is_allowed else 403)
        if not is_allowed:
            assert answer.json()["code"] == "not-permitted"
            assert door.stores["lab"].record("by a page") is None


def test_a_file_of_keys_that_is_damaged_lets_in_nobody(door, caplog):
    key = door.key("before")
    whole = door.keys.path.read_bytes()
    for damaged in (b"", b"{", b"[]", b'{"keys": {"a": {}}}', b'{"keys": 5}', b"\xff"):
        door.keys.path.write_bytes(damaged)
        refused(door.ask(key, "count", **EVERYTHING))
        assert door.ask(TOKEN, "count", **EVERYTHING).status_code == 200
        with pytest.raises(InvalidConfiguration, match="is no file of keys"):
            KeyFile(door.keys.path).keys()
    door.keys.path.unlink()
    refused(door.ask(key, "count", **EVERYTHING))
    door.keys.path.write_bytes(whole)
    assert door.ask(key, "count", **EVERYTHING).status_code == 200


def test_a_file_that_anybody_may_write_lets_in_nobody(door):
    key = door.key("mode")
    door.keys.path.chmod(0o602)
    refused(door.ask(key, "count", **EVERYTHING))
    with pytest.raises(InvalidConfiguration, match="chmod 600"):
        KeyFile(door.keys.path).keys()
    door.keys.path.chmod(0o640)
    assert door.ask(key, "count", **EVERYTHING).status_code == 200


def test_a_server_that_lets_read_lets_no_key_write(tmp_path):
    with closing(Door(tmp_path, allow_writing=False)) as door:
        for token in (TOKEN, door.key("ann", "write")):
            answer = door.ask(token, "insert", kind="start", doc=start())
            assert "--allow-writing" in refused(answer, "store-is-read-only", 403)
            store = HTTPStore(f"{door.uri}/lab", token=token)
            assert not store.capabilities.writable
            store.close()
        assert door.answer(TOKEN, "count", **EVERYTHING) == 2


def test_without_an_authenticator_nobody_is_let_in():
    with pytest.raises(AccessRefused):
        asyncio.run(Access([]).caller_of(Credentials(None)))
    assert asyncio.run(Access.by(None).caller_of(Credentials(None))).name == "anybody"
    with pytest.raises(InvalidConfiguration, match="everybody would have it"):
        Access.by("")


def test_two_processes_make_keys_at_once(tmp_path):
    files = [KeyFile(tmp_path / "keys.json") for _ in range(4)]
    threads = [
        threading.Thread(target=lambda n=n, f=f: [f.make(whom(f"{n}-{k}")) for k in range(5)])
        for n, f in enumerate(files)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files[0].keys()) == 20
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert files[1].authenticate(Credentials("dbk_none_none")) is None
