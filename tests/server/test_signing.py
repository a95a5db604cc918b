"""Cursors, marks and extents that clients bring back: those that they were given, and no others."""

import base64
import hashlib
import os
import stat
import threading
from dataclasses import replace

import pytest

from databroker.columns import ALL
from databroker.errors import InvalidRequest
from databroker.query.nodes import Everything
from databroker.server.command.secret_file import persistent_secret
from databroker.server.signing.signer import Signer
from databroker.server.signing.store import SignedStore
from databroker.stores.files.store import JSONLStore
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import event, start, whole_run

SIGNER = Signer("of the tests").of("lab").of("ann")

FORGED = [
    None,
    7,
    "",
    "desc",
    b"desc",
    "\ud800",
    ["desc", "/etc/passwd"],
    {"$": 1},
    "A" * 10_000,
    base64.urlsafe_b64encode(b"\0" * 16 + b"\x93\x00\xa4desc\x01").decode(),
]


@pytest.fixture(params=["memory", "sqlite", "files"])
def behind(request, tmp_path):
    """A store of three runs."""
    made = {
        "memory": MemoryStore,
        "sqlite": lambda: SQLiteStore(tmp_path / "runs.db"),
        "files": lambda: JSONLStore(tmp_path / "runs"),
    }
    store = made[request.param]()
    store.insert_many([*whole_run(), ("start", start("second", 2)), ("start", start("third", 3))])
    yield store
    store.close()


@pytest.fixture
def store(behind):
    return SignedStore(behind, SIGNER)


def test_what_was_given_is_taken(store, behind):
    first, *others = store.find(Everything())
    assert [run.uid for run in store.find(Everything(), after=first.cursor)] == [
        run.uid for run in others
    ]
    [extent] = store.extents("event", "run-desc")
    [own] = behind.extents("event", "run-desc")
    assert list(store.read("event", extent, ALL)) == list(behind.read("event", own, ALL))
    assert list(store.read_extents("event", [extent], ALL)) == [
        list(behind.read("event", own, ALL))
    ]
    [run] = store.read_runs(["run"])
    assert run.extents["event", "run-desc"] == [extent]
    uids, mark = store.uids_since(None)
    assert sorted(uids) == ["run", "second", "third"]
    assert mark is None or store.uids_since(mark) is not None
    assert mark is None or store.uids_since(store.newest_mark()) == ([], mark)


@pytest.mark.parametrize("forged", FORGED, ids=lambda forged: repr(forged)[:20])
def test_what_is_made_up_is_refused(store, forged):
    [extent] = store.extents("event", "run-desc")
    with pytest.raises(InvalidRequest, match="no extent of events that this server has given"):
        store.read("event", replace(extent, token=forged), ALL)
    with pytest.raises(InvalidRequest):
        store.read_extents("event", [extent, replace(extent, token=forged)], ALL)
    if forged is not None:
        with pytest.raises(InvalidRequest, match="no cursor"):
            store.find(Everything(), after=forged)
        with pytest.raises(InvalidRequest, match="no mark"):
            store.uids_since(forged)


def test_what_was_given_for_something_else_is_refused(store, behind):
    [extent] = store.extents("event", "run-desc")
    run = store.record("run")
    for kind, token in [("datum", extent.token), ("event", run.cursor)]:
        with pytest.raises(InvalidRequest):
            store.read(kind, replace(extent, token=token), ALL)
    with pytest.raises(InvalidRequest):
        store.find(Everything(), after=extent.token)
    for signer in (
        Signer("of the tests").of("lab").of("bob"),
        Signer("another").of("lab").of("ann"),
    ):
        with pytest.raises(InvalidRequest):
            SignedStore(behind, signer).read("event", extent, ALL)


def test_a_secret_takes_time_to_try_out_and_a_new_one_is_nobody_elses(monkeypatch):
    costs = []
    monkeypatch.setattr(hashlib, "scrypt", lambda *_, n, r, **__: costs.append(n * r) or bytes(64))
    Signer("never used before")
    assert costs
    assert min(costs) >= 2**17
    signed = Signer().sign("mark", 1)
    with pytest.raises(InvalidRequest):
        Signer().unsign("mark", signed)


@pytest.mark.parametrize("place", range(0, 40, 7))
def test_a_changed_character_is_noticed(store, place):
    cursor = store.record("run").cursor
    changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
    with pytest.raises(InvalidRequest):
        store.find(Everything(), after=changed)


def test_an_extent_is_what_it_was_whatever_is_said_of_it(store, behind):
    [extent] = store.extents("event", "run-desc")
    behind.insert("event", event(9, "run-desc"))
    [batch] = store.read("event", replace(extent, rows=2**70, min_seq=-1), ALL)
    assert batch.num_rows == extent.rows


def test_the_secret_of_a_user_is_kept_by_whoever_needs_it_first(tmp_path):
    found, folder = [], tmp_path / "data"
    threads = [
        threading.Thread(target=lambda: found.append(persistent_secret(folder))) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 8
    assert {*found, persistent_secret(folder)} == {found[0]}
    assert len(found[0]) > 40
    assert stat.S_IMODE(os.stat(folder / "server-secret").st_mode) == 0o600


def test_where_no_secret_can_be_kept_there_is_a_new_one(tmp_path):
    (tmp_path / "data").write_text("no folder")
    first, second = (persistent_secret(tmp_path / "data") for _ in range(2))
    assert first != second
    assert len(second) > 40
