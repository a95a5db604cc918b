"""Texts that are paths lead nowhere: neither those that are asked for, nor those that are kept."""

import http.client
import json

import pytest

from databroker.query.nodes import Everything
from databroker.stores.wire.calls import CALLS
from helpers.door import TOKEN

EVIL = (
    *("../../../../../../../../etc/passwd", "/etc/passwd", "..\\..\\etc\\passwd", "C:\\Windows"),
    *("file:///etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd\x00.jsonl", "\x00", ".", ".."),
    *("/", "~/.ssh/id_rsa", "${HOME}", "{{ env(HOME) }}", "' OR 1=1 --", "\ud800", "x" * 5_000),
)

ALL_COLUMNS = {"data": None, "timestamps": None, "others": True}
SEARCH = {"node": "uid_prefix", "prefix": "EVIL"}
DOCUMENT = {"uid": "EVIL", "run_start": "EVIL", "uri": "EVIL", "data_key": "EVIL", "time": 1.0}
VALUES = {
    "references": [["EVIL", 0, 1]],
    "run": "EVIL",
    "field": "EVIL",
    "descriptor": "EVIL",
}
EXTENT = [1, 0, 0, "EVIL"]
BODIES = {
    "find": {"query": SEARCH, "after": "EVIL"},
    "count": {"query": {"node": "equals", "path": ["start", "EVIL"], "value": "EVIL"}},
    "record": {"uid": "EVIL"},
    "resolve": {"prefix": "EVIL", "limit": 5},
    "select": {"query": SEARCH, "paths": [["start", "EVIL"]]},
    "distinct": {"query": {"node": "data_key", "name": "EVIL"}, "path": ["stop", "EVIL"]},
    "keys": {"most": 5},
    "documents": {"uid": "EVIL", "kinds": ["descriptor", "EVIL"]},
    "activity": {"uid": "EVIL"},
    "extents": {"kind": "datum", "owner": "EVIL"},
    "read": {"kind": "datum", "extent": EXTENT, "selection": ALL_COLUMNS},
    "read_extents": {"kind": "event", "extents": [EXTENT], "selection": ALL_COLUMNS},
    "read_many": {"runs": ["EVIL", "mine"], "stream": "EVIL", "selection": None},
    "outlines": {"uids": ["EVIL"]},
    "read_runs": {"uids": ["EVIL"]},
    "datum": {"datum_id": "EVIL"},
    "resource": {"uid": "EVIL"},
    "run_of": {"kind": "event", "owner": "EVIL"},
    "see_external": {"values": VALUES, "cheaply": False},
    "count_external": {"values": VALUES | {"references": ["EVIL"]}},
    "list_external": {"uid": "EVIL"},
    "read_external": {"values": VALUES, "part": None},
    "size": {},
    "state": {},
    "newest_mark": {},
    "uids_since": {"mark": "EVIL"},
    "insert": {"kind": "start", "doc": DOCUMENT},
    "insert_many": {"documents": [["start", DOCUMENT], ["EVIL", DOCUMENT]]},
    "insert_batches": {"kind": "event", "owner": "EVIL", "batches": []},
}


def test_every_call_is_tried():
    assert BODIES.keys() == CALLS.keys()


def filled(body, text):
    return json.loads(json.dumps(body).replace('"EVIL"', json.dumps(text)))


@pytest.mark.parametrize("source", ["lab", "files"])
def test_a_path_in_place_of_a_name_leads_nowhere(door, source):
    folder, key = door.keys.path.parent, door.key(f"any {source}", "read", "write")
    beside = {path for path in folder.parent.rglob("*") if folder not in path.parents}
    here = {path.name for path in folder.iterdir()}
    for call, body in BODIES.items():
        for text in EVIL:
            answer = door.send(key, call, source, filled(body, text))
            assert answer.status_code < 500, (call, text, answer.text)
            assert b"root:" not in answer.content
    assert {path for path in folder.parent.rglob("*") if folder not in path.parents} == beside
    assert {path.name for path in folder.iterdir()} == here
    assert all(path.is_file() for path in (folder / "runs").iterdir())
    assert door.answer(TOKEN, "count", source, query=Everything()) > len(EVIL)


ADDRESSES = """
/../../etc/passwd /lab/../../../etc/passwd /lab/v1/../../etc/passwd //etc/passwd
/..%2f..%2fetc%2fpasswd /%2e%2e/%2e%2e/etc/passwd /lab/v1/about/../../../keys.json
/lab/v1/openapi.json/../../../runs.db /lab%00/v1/about /keys.json /lab/v1/.. / *
/lab/v1/count/..%5c..%5c /files/mine.jsonl
"""


@pytest.mark.parametrize("path", [*ADDRESSES.split(), "/" + "a/" * 2_000], ids=lambda p: p[:40])
def test_a_path_in_the_address_leads_nowhere(door, path):
    for token, status in ((TOKEN, 404), ("wrong", 401)):
        connection = http.client.HTTPConnection(door.uri.removeprefix("http://"))
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        assert answer.status in (status, 400, 405)
        assert b"root:" not in answer.read()
        connection.close()
