"""Documents as users get them."""

import copy
import json
import pickle

import pytest

from databroker import DeprecatedDoct, wrap_in_deprecated_doct, wrap_in_doct
from databroker.documents.kinds import LABELS

START = {"uid": "a", "time": 1.0, "sample": {"name": "Ni"}, "keys": [1]}


def test_it_is_the_plain_dictionary(header):
    start = header.start
    assert start == dict(start)
    assert isinstance(start, dict)
    assert list(start)[:3] == ["uid", "time", "scan_id"]
    assert repr(start) == repr(dict(start))
    assert json.loads(json.dumps(start)) == start
    assert "_name" not in start


def test_each_access_gives_a_new_one(header):
    assert header.start is not header.start


@pytest.mark.parametrize("kind", LABELS)
def test_printed_it_is_a_block_headed_by_its_kind(kind):
    text = str(wrap_in_doct(kind, START))
    assert text.splitlines()[0] == LABELS[kind]
    assert "sample" in text


def test_dot_access_warns():
    doc = wrap_in_deprecated_doct("start", START)
    assert isinstance(doc, DeprecatedDoct)
    with pytest.warns(UserWarning, match=r"doc\['uid'\]"):
        assert doc.uid == "a"
    with pytest.raises(AttributeError):
        doc.nonsense  # noqa: B018


@pytest.mark.filterwarnings("error")
def test_dot_access_need_not_warn():
    assert wrap_in_doct("start", START).uid == "a"
    assert not hasattr(wrap_in_deprecated_doct("start", START), "nonsense")


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        wrap_in_doct("nonsense", {})


@pytest.mark.parametrize(
    "change",
    [
        lambda doc: doc.update(a=1),
        lambda doc: doc.pop("uid"),
        lambda doc: doc.popitem(),
        lambda doc: doc.clear(),
        lambda doc: doc.setdefault("a", 1),
        lambda doc: doc.__setitem__("a", 1),
        lambda doc: doc.__delitem__("uid"),
        lambda doc: doc.__ior__({"a": 1}),
        lambda doc: setattr(doc, "uid", 1),
    ],
)
def test_it_cannot_be_changed(change):
    doc = wrap_in_doct("start", START)
    with pytest.raises(TypeError, match="read-only"):
        change(doc)
    assert doc == START


@pytest.mark.parametrize("make", [dict, copy.copy, copy.deepcopy, lambda doc: doc.copy()])
def test_a_copy_is_plain(make):
    made = make(wrap_in_doct("start", START))
    assert type(made) is dict
    made["uid"] = "b"
    assert made == {**START, "uid": "b"}


def test_it_survives_pickling():
    doc = wrap_in_deprecated_doct("start", START)
    again = pickle.loads(pickle.dumps(doc))
    assert again == doc
    assert type(again) is type(doc)
    assert str(again) == str(doc)


def test_its_kind_and_a_plain_dictionary():
    name, plain = wrap_in_doct("stop", {"uid": "b"}).to_name_dict_pair()
    assert (name, plain, type(plain)) == ("Run Stop", {"uid": "b"}, dict)


def test_in_a_notebook_it_is_a_table():
    html = wrap_in_doct("start", {"uid": "<b>"})._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<table" in html


def test_its_keys_are_completed():
    assert "sample" in dir(wrap_in_doct("start", START))
