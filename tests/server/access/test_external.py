"""Data of other runs, and that they go on, are not to be had by a key to some runs either."""

import itertools
import json
import threading

import httpx
import numpy as np
import pytest

from databroker import Broker
from databroker.errors import NoSuchRun
from databroker.stores.external import ExternalValues
from databroker.stores.http import HTTPStore
from databroker.testing.conformance.base import event, start, stop
from helpers.door import MINE, TOKEN

KEY = {"dtype": "array", "shape": [2], "dtype_numpy": "<f8", "source": "s", "external": "STREAM:"}


def with_image(store, folder, uid, proposal, value):
    """Insert a run whose events have their images in a file."""
    path = folder / f"{uid}.npy"
    np.save(path, np.full((3, 2), value))
    descriptor = {"uid": f"{uid}-d", "run_start": uid, "time": 1.0, "name": "primary"}
    resource = {"uid": f"{uid}-s", "run_start": uid, "data_key": "img", "parameters": {}}
    resource |= {"mimetype": "application/x-npy", "uri": f"file://localhost{path}"}
    datum = {"uid": f"{uid}-s/0", "stream_resource": f"{uid}-s", "descriptor": f"{uid}-d"}
    datum |= {"indices": {"start": 0, "stop": 3}, "seq_nums": {"start": 1, "stop": 4}}
    store.insert("start", start(uid, proposal=proposal))
    store.insert("descriptor", descriptor | {"data_keys": {"img": KEY}})
    store.insert("stream_resource", resource)
    store.insert("stream_datum", datum)
    for number in (1, 2, 3):
        store.insert("event", event(number, f"{uid}-d") | {"data": {}, "timestamps": {}})


@pytest.fixture(scope="module")
def images(door):
    """Two runs with images, one of which is mine."""
    folder = door.folder / "images"
    folder.mkdir()
    with_image(door.stores["lab"], folder, "seen", "1234", 1.5)
    with_image(door.stores["lab"], folder, "unseen", "5678", 2.5)


@pytest.fixture(scope="module")
def key(door):
    return door.key("me", query=MINE)


def values(run, of, **more):
    return ExternalValues([(f"{of}-s", 0, 1)], run, "img", f"{of}-d", **more)


def test_images_of_mine_are_read_and_others_are_not_there(door, images, key):
    with Broker(HTTPStore(f"{door.uri}/lab", token=key)) as db:
        assert np.array(list(db["seen"].data("img"))).tolist() == [[1.5, 1.5]] * 3
        with pytest.raises(NoSuchRun):
            db["unseen"]
    with Broker(HTTPStore(f"{door.uri}/lab", token=TOKEN)) as db:
        assert np.array(list(db["unseen"].data("img"))).tolist() == [[2.5, 2.5]] * 3


@pytest.mark.parametrize("call", ["see_external", "count_external", "read_external"])
def test_data_of_another_run_answer_as_those_of_none(door, images, key, call):
    def asked(token, run, of, named):
        answer = door.ask(token, call, values=values(run, of))
        assert b"\x04@" not in answer.content or token == TOKEN  # of 2.5
        return answer.status_code, answer.text.replace(named, "")

    assert asked(key, "seen", "seen", "")[0] == 200
    assert asked(TOKEN, "unseen", "unseen", "")[0] == 200
    for run, named in ((None, "{}"), ("{}", "{}"), ("seen", "{}")):
        hidden, absent = (
            asked(key, run and run.replace("{}", uid), named.replace("{}", uid), uid)
            for uid in ("unseen", "nobody")
        )
        assert hidden == absent
    mixed = ExternalValues([("unseen-s", 0, 1)], "seen", "img", "seen-d")
    lost = ExternalValues([("nobody-s", 0, 1)], "seen", "img", "seen-d")
    hidden, absent = (door.ask(key, call, values=each) for each in (mixed, lost))
    assert hidden.status_code == absent.status_code
    assert hidden.text.replace("unseen", "") == absent.text.replace("nobody", "")
    hidden, absent = (
        door.ask(key, call, values=ExternalValues([f"{uid}-res/0"], "mine", "img"))
        for uid in ("others", "nobody")
    )
    assert hidden.status_code == absent.status_code
    assert hidden.text.replace("others", "") == absent.text.replace("nobody", "")


def test_files_of_another_run_are_those_of_none(door, images, key):
    assert door.ask(key, "list_external", uid="seen").status_code == 200
    hidden, absent = (door.ask(key, "list_external", uid=uid) for uid in ("unseen", "nobody"))
    assert hidden.status_code == absent.status_code
    assert hidden.text.replace("unseen", "") == absent.text.replace("nobody", "")


# -- followers ---------------------------------------------------------------------


def stream(door, token, path=""):
    return httpx.stream(
        "GET",
        f"{door.uri}/lab/v1/live{path}",
        headers={"Authorization": f"Bearer {token}"},
        params={"heartbeat": "0.1"},
    )


def test_who_follows_is_told_of_mine_alone(door, key):
    lab, told = door.stores["lab"], []
    with stream(door, key, "/runs") as response:
        lines = response.iter_lines()
        next(line for line in lines if line.startswith("id:"))
        for uid, proposal in (("theirs", "5678"), ("ours", "1234")):
            lab.insert("start", start(uid, proposal=proposal))
            lab.insert("stop", stop(uid))
        for line in lines:
            if line.startswith("data:"):
                told.append(json.loads(line.removeprefix("data:"))["uid"])
            if len(told) == 2:
                break
    assert told == ["ours", "ours"]


def test_another_run_is_followed_as_one_that_is_not_there(door, images, key):
    texts = []
    for uid in ("unseen", "nobody"):
        with stream(door, key, f"/runs/{uid}") as response:
            texts.append(response.read().decode().replace(uid, ""))
            assert response.is_error
    assert texts[0] == texts[1]
    with stream(door, key, "/runs/seen") as response:
        assert response.status_code == 200


@pytest.mark.parametrize("path", ["", "/runs", "/runs/seen"])
def test_who_follows_is_told_nothing_more_once_the_key_is_revoked(door, images, path):
    followed = door.key(f"follower {path}", query=MINE)
    with stream(door, followed, path) as response:
        assert response.status_code == 200
        threading.Timer(0.1, door.keys.revoke, (f"follower {path}",)).start()
        signs_of_life = itertools.islice(response.iter_lines(), 200)
        assert len(list(signs_of_life)) < 200  # it ended
