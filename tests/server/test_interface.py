"""Whatever is asked gets an answer that the description of the interface names; nothing fails."""

from contextlib import closing

import httpx
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from databroker.documents.encode import decode, encode
from databroker.server.openapi import openapi
from databroker.stores.files.store import JSONLStore
from databroker.stores.sql import SQLiteStore
from databroker.stores.wire.calls import CALLS, MESSAGEPACK
from databroker.stores.wire.problems import codes_of
from databroker.stores.wire.sequence import parts
from databroker.testing.conformance.base import event, start, whole_run
from helpers.serving import served

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
PATHS = openapi(CALLS.values(), "3.0")["paths"]
SECRET = b"what nobody may read"


def few(examples):
    """Return settings for so many examples of what is slow to make."""
    slow = {"deadline": None, "suppress_health_check": list(HealthCheck)}
    return settings(max_examples=examples, database=None, derandomize=True, **slow)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where stores are, and a file that is none of theirs."""
    folder = tmp_path_factory.mktemp("interface")
    (folder / "secret.jsonl").write_bytes(b'["start", {"uid": "%s", "time": 1.5}]\n' % SECRET)
    return folder


@pytest.fixture(scope="module")
def schema(folder):
    """The description, as a server gives it that can be asked."""
    with closing(SQLiteStore(folder / "described.db")) as store:
        store.insert_many(whole_run())
        with served(store) as server:
            yield schemathesis.openapi.from_url(f"{server.uri}/v1/openapi.json")


# Streams have no end, and are asked for elsewhere.
@pytest.mark.parametrize("mode", GenerationMode, ids=str)
@pytest.mark.parametrize("path", [path for path in PATHS if "/live" not in path])
def test_what_is_described_is_answered_as_described(schema, path, mode):
    [method] = PATHS[path]

    @few(8)
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def ask(case):
        response = case.call()
        case.validate_response(response, checks=CHECKS)
        if response.status_code != 200:
            assert response.json()["code"] in codes_of()[response.status_code]

    ask()


ODD = [
    *(None, True, 0, -1, 2**31, 2**63, 2**64 - 1, -(2**63) - 1, 2**200, 1.0, 0.5),
    *(float("nan"), float("inf"), "", "run", "a\0b", "\ud800", "x" * 70_000),
    *("../secret.jsonl", "..%2fsecret.jsonl", "file://localhost/etc/passwd", "/etc/passwd"),
    *(b"", b"run", b"\x91" * 500, [], [[]], ["run"] * 5, {}, {"a": None}, {1: 2}, {None: []}),
    *({"node": "everything"}, np.arange(3), np.array(["x"]), {"$int": "1"}),
]


@st.composite
def changed(draw, plain):
    """Return plain values of which one, at any depth, is another one, or is missing."""
    if isinstance(plain, dict | list) and plain and draw(st.integers(0, 3)):
        keys = list(plain) if isinstance(plain, dict) else range(len(plain))
        key, copy = draw(st.sampled_from(keys)), plain.copy()
        if draw(st.integers(0, 9)):
            copy[key] = draw(changed(plain[key]))
        else:
            del copy[key]
        return copy
    return draw(st.sampled_from(ODD))


class Asked:
    """A server, and an argument of each name that makes sense to it."""

    def __init__(self, client):
        self._client = client
        answer = self.post("find", {"query": EVERYTHING}).content
        [([[*_, cursor], *_], _)] = parts(iter([answer]))
        [extent], [[rows]] = self.value("extents", {"kind": "event", "owner": "run-desc"})
        _, mark = self.value("uids_since", {"mark": None})
        self.arguments = ARGUMENTS | {
            "after": cursor,
            "extent": extent,
            "extents": [extent],
            "batches": [rows],
            "mark": mark,
        }

    def post(self, call, plain):
        """Return the response to a question."""
        headers = {"Content-Type": MESSAGEPACK}
        return self._client.post(f"/v1/{call}", content=encode(plain), headers=headers)

    def value(self, call, plain):
        """Return the answer to a question that makes sense."""
        response = self.post(call, plain)
        assert response.status_code == 200, response.content
        return decode(response.content)


EVERYTHING = {"node": "everything"}
OF_ELEMENT = {"node": "compare", "path": ["element", "b"], "op": "lt", "value": 5}
NODES = [
    {"node": "elem_match", "path": ["start", "a"], "of": OF_ELEMENT},
    {"node": "matches", "path": ["start", "uid"], "pattern": "r", "flags": "i"},
    {"node": "in", "path": ["run", "num_events"], "values": [1, {"$dict": [["a", {"$int": "1"}]]}]},
    {"node": "full_text", "words": ["ni"], "phrases": [["a", "b"]], "excluded": []},
    {"node": "mod", "path": ["stop", "a.0"], "divisor": 2, "remainder": 1},
    {"node": "not", "of": {"node": "has_type", "path": ["start", "a"], "type": "int"}},
]
DOC = event(7, "run-desc")
ARGUMENTS = {
    "query": {"node": "any_of", "of": NODES},
    "limit": 5,
    "most": 5,
    "uid": "run",
    "uids": ["run", "second"],
    "runs": ["run", "second"],
    "prefix": "r",
    "path": ["start", "sample.name"],
    "paths": [["start", "uid"], ["run", "status"]],
    "kind": "event",
    "kinds": ["descriptor", "resource"],
    "owner": "run-desc",
    "selection": {"data": ["x"], "timestamps": None, "others": True},
    "rows": [0, 1],
    "stream": "primary",
    "datum_id": "run-res/0",
    "values": {"references": ["run-res/0"], "run": "run", "field": "x", "descriptor": "run-desc"},
    "cheaply": True,
    "part": [[2, 2], "'<f8'", [[0, 1, None]]],
    "doc": DOC,
    "documents": [["start", start("more", a=[{"b": 2}])], ["event", DOC]],
}


@pytest.fixture(scope="module", params=[SQLiteStore, JSONLStore], ids=["sqlite", "files"])
def asked(request, folder):
    """A server of a store."""
    with closing(request.param(folder / f"{request.param.__name__}.db")) as store:
        store.insert_many([*whole_run(), ("start", start("second"))])
        with served(store) as server, httpx.Client(base_url=server.uri) as client:
            yield Asked(client)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_makes_sense_is_answered_and_what_makes_none_is_refused(asked, call):
    question = {name: asked.arguments[name] for name in call.takes}
    response = asked.post(call.name, question)
    assert response.status_code in (200, 404)  # there are no files of external data
    told = PATHS[f"/v1/{call.name}"]["post"]["responses"]

    @few(12)
    @given(changed(question))
    def ask(odd):
        response = asked.post(call.name, odd)
        assert str(response.status_code) in told
        assert response.status_code != 500, response.content
        assert SECRET not in response.content
        assert b"server-failed" not in response.content  # nor at the end of what was begun

    ask()
