"""Who is let in, what is refused: over real connections, as anybody could send it."""

import json

import httpx
import msgpack
import pytest

from databroker.errors import (
    AccessRefused,
    InvalidConfiguration,
    InvalidDocument,
    InvalidQuery,
    RequestTooLarge,
    StoreIsReadOnly,
    StoreUnavailable,
)
from databroker.query import nodes as n
from databroker.stores.http import HTTPStore
from databroker.testing.conformance.base import event, start, whole_run

EVERYTHING = json.dumps({"query": {"node": "everything"}}).encode()
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def name(server):
    """A new source."""
    return server.take()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer other"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer of the tests alon"},
        {"Authorization": "of the tests alone"},
        {"Cookie": "token=of the tests alone"},
    ],
)
@pytest.mark.parametrize("path", ["v1/count", "v1/about", "v1/openapi.json", "nothing"])
def test_nothing_is_told_without_the_token(server, name, headers, path):
    method = "POST" if path == "v1/count" else "GET"
    answer = httpx.request(method, f"{server.uri(name)}/{path}", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "access-refused"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_two_tokens_are_none(server, name):
    both = [("Authorization", "Bearer other"), ("Authorization", "Bearer of the tests alone")]
    assert httpx.get(f"{server.uri(name)}/v1/about", headers=both).status_code == 401


def test_a_wrong_token_says_what_to_do(server, name):
    with pytest.raises(AccessRefused, match=r"token of the request is not.*DATABROKER_TOKEN"):
        HTTPStore(server.uri(name), token="other")


@pytest.mark.parametrize(
    ("there", "option", "in_address", "says"),
    [
        ("w0rd", None, "", r"is the one in the variable DATABROKER_TOKEN\.$"),
        ("w0rd", "0ther", "", r"in the option 'token', not that in the variable DATABROKER_TOKEN"),
        (None, None, "?token=w0rd", r"is the one in the address\.$"),
        (None, None, "", r"DATABROKER_TOKEN\.$"),
    ],
)
def test_it_is_said_where_a_wrong_token_is_from(
    server, name, monkeypatch, there, option, in_address, says
):
    monkeypatch.delenv("DATABROKER_TOKEN")
    if there:
        monkeypatch.setenv("DATABROKER_TOKEN", there)
    with pytest.raises(AccessRefused, match=says) as caught:
        HTTPStore(server.uri(name) + in_address, token=option)
    assert not {"w0rd", "0ther"} & set(str(caught.value).split())
    assert ("The token that was sent" in str(caught.value)) == bool(there or in_address)


def test_who_brings_no_token_is_told_so(server, name, monkeypatch):
    monkeypatch.delenv("DATABROKER_TOKEN")
    with pytest.raises(AccessRefused, match=r"has no token.*DATABROKER_TOKEN"):
        HTTPStore(server.uri(name))


@pytest.mark.parametrize(
    ("odd", "what"), [("a\r\nX: y", r"'\\r'"), ("tok\n", r"'\\n'"), ("ü", "'ü'")]
)
def test_a_token_that_could_be_no_header_is_sent_nowhere(odd, what, monkeypatch):
    for name, given in [("DATABROKER_TOKEN", None), ("OTHER", odd)]:
        monkeypatch.setenv(name, odd)
        with pytest.raises(InvalidConfiguration, match=f"printable ASCII.*{what}"):
            HTTPStore("http://localhost:8000/a", token=given)


def test_the_token_may_stand_in_the_address_and_is_shown_nowhere(server, name, monkeypatch):
    monkeypatch.delenv("DATABROKER_TOKEN")
    store = HTTPStore(f"{server.uri(name)}?token=of the tests alone")
    assert store.count(n.Everything()) == 0
    assert "of the tests" not in str(store)
    assert "of the tests" not in repr(store.__reduce__())
    store.close()


@pytest.mark.parametrize("uri", ["localhost:8000/a", "ftp://host/a", "http://", "http://[::1/a"])
def test_what_is_no_address_is_said(uri):
    with pytest.raises(InvalidConfiguration, match="http://localhost:8000/beamline"):
        HTTPStore(uri)


def test_a_server_that_only_lets_read(server):
    store = HTTPStore(server.uri("read"))
    assert not store.capabilities.writable
    with pytest.raises(StoreIsReadOnly, match="--allow-writing"):
        store.insert("start", start())
    assert store.count(n.Everything()) == 0
    store.close()


@pytest.mark.parametrize(
    ("call", "body", "code"),
    [
        ("insert", {"kind": "start", "doc": {"uid": 5}}, "invalid-document"),
        ("insert", {"kind": "nonsense", "doc": {}}, "unknown-document-kind"),
        ("insert", {"kind": "event", "doc": event(1)}, "unknown-descriptor"),
        ("insert_many", {"documents": [["start", start()], ["stop", {}]]}, "invalid-document"),
        ("insert_many", {"documents": [["start"]]}, "invalid-request"),
        (
            "insert_batches",
            {"kind": "event", "owner": "desc", "batches": [b"no Arrow"]},
            "invalid-request",
        ),
    ],
)
def test_what_is_inserted_is_checked_by_the_server(server, name, call, body, code):
    answer = server.post(name, call, content=msgpack.packb(body))
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def nested(levels):
    inside = b'{"node":"not","of":' * levels + b'{"node":"everything"}' + b"}" * levels
    return b'{"query":' + inside + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"query": 5}',
        b'{"query": {"node": "nonsense"}}',
        b'{"query": {"node": "everything"}, "limit": true}',
        b'{"query": {"node": "everything"}, "more": 1}',
        nested(200),
        nested(10_000),
        b'{"query":' + b"[" * 100_000,
    ],
    ids=lambda body: f"{len(body)} {body[:40].decode()}",
)
def test_questions_that_make_no_sense_are_refused(server, name, body):
    answer = server.post(name, "find", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["code"] in {"invalid-query", "invalid-request"}


def test_what_is_nested_too_deeply_for_messagepack_is_refused(server, name):
    assert server.post(name, "find", content=b"\x91" * 50_000).status_code == 400
    for levels in (200, 10_000):
        nots = b"\x82\xa4node\xa3not\xa2of" * levels
        body = b"\x81\xa5query" + nots + b"\x81\xa4node\xaaeverything"
        answer = server.post(name, "find", content=body)
        assert (answer.status_code, answer.json()["code"][:8]) == (400, "invalid-")


def test_a_body_that_is_too_large_is_refused(server, name):
    def pieces():
        for _ in range(400):
            yield b"x" * 2**16

    for content in (b"x" * 2**25, pieces()):
        try:
            answer = server.post(name, "insert", content=content)
        except (httpx.WriteError, httpx.ReadError):  # it does not wait for the rest
            continue
        assert answer.status_code == 413
        assert answer.json()["code"] == "request-too-large"
    store = HTTPStore(server.uri(name))
    with pytest.raises(RequestTooLarge, match="takes 16777216 bytes at once"):
        store.insert("start", start(note="x" * 2**25))
    store.insert("start", start())
    assert store.count(n.Everything()) == 1
    store.close()


def test_what_is_not_there(server, name):
    assert server.post(name, "nonsense").status_code == 404
    with pytest.raises(StoreUnavailable, match="not as a server of databroker"):
        HTTPStore(f"{server.uri(name)}/elsewhere")


def test_an_error_has_its_class_again(server, name):
    store = HTTPStore(server.uri(name))
    with pytest.raises(InvalidDocument, match="uid"):
        store.ask("insert", "start", {})
    with pytest.raises(InvalidQuery, match=r"\("):
        list(store.find(n.Matches(n.Path("a"), "(", "")))
    store.close()


def test_questions_may_be_json(server, name):
    store = HTTPStore(server.uri(name))
    store.insert_many(whole_run())
    answer = server.post(name, "find", content=EVERYTHING, headers=JSON)
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(answer.content)
    [[uid, *_]], end = unpacker
    assert (uid, end) == ("run", {"end": True})
    store.close()
