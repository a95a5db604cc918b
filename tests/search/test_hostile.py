"""Odd, wrong and evil questions, through a broker: a right answer or a clear error, soon."""

import functools
import os
import signal
import threading
from collections import deque

import numpy as np
import pytest

from databroker.errors import InvalidQuery, NothingFoundWarning, QueryTimeout, UnsupportedQuery
from databroker.queries import And, Item, Key, Or

EVIL_TEXTS = [
    "'; DROP TABLE runs; --",
    '" OR 1=1 --',
    "%",
    "_",
    "*",
    "[a]",
    "\\",
    "a'b''c",
    "?",
    "?1",
    ":name",
    "\x00",
    "a\x00b",
    "😀",
    "\ud800",
    "e\u0301",
    "x" * 300,
    "x" * 100_000,
    "$where",
    "{'$gt': 1}",
    "\n\r\t",
    "NULL",
    "",
]


def uids(results):
    return sorted(header.uid for header in results)


class TestText:
    @pytest.fixture(autouse=True)
    def _runs(self, save):
        for number, text in enumerate(EVIL_TEXTS):
            save(f"{number:02}", float(number), value=text, listed=["other", text], k={text: 1})

    @pytest.mark.parametrize("number", range(len(EVIL_TEXTS)))
    def test_any_text_is_a_value_that_is_found_and_nothing_else(self, db, number):
        text, uid = EVIL_TEXTS[number], f"{number:02}"
        assert uids(db(value=text)) == [uid]
        assert uids(db(listed=text)) == [uid]
        assert uids(db(Key("value").isin([text, "no such text"]))) == [uid]
        assert uids(db(value={"$gte": text, "$lte": text})) == [uid]
        assert db(value={"$ne": text}).count() == len(EVIL_TEXTS) - 1
        assert db().count() == len(EVIL_TEXTS)

    @pytest.mark.parametrize("number", range(len(EVIL_TEXTS)))
    def test_any_text_is_a_key(self, db, number):
        text, uid = EVIL_TEXTS[number], f"{number:02}"
        found = uids(db(Key(f"k.{text}").exists()))
        # An empty key, and one that is the beginning of a path, are keys too.
        assert uid in found
        assert uids(db(k={"$eq": {text: 1}})) == [uid]

    def test_order_is_by_code_point(self, db):
        for text in EVIL_TEXTS:
            wanted = [f"{n:02}" for n, each in enumerate(EVIL_TEXTS) if each > text]
            assert uids(db(value={"$gt": text})) == wanted, text

    @pytest.mark.parametrize("text", [each for each in EVIL_TEXTS if each])
    def test_any_text_is_searched_for_as_words_or_refused(self, db, text):
        try:
            db(text).count()
        except InvalidQuery as error:
            assert "no word to search for" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "key",
    [
        "a'b",
        'a"b',
        "a.b",
        "a..b",
        ".",
        ".a",
        "a.",
        "a%b",
        "$in",
        "a$",
        "\x00",
        "😀",
        "é",
        "\ud800",
        "--",
        "0",
        "a.0",
        "a b",
        "since",
        "x" * 5_000,
        "x" * 70_000,
    ],
)
def test_any_key_can_be_asked_about(db, key):
    db.insert("start", {"uid": "a", "time": 1.0, key: "here"})
    db.insert("start", {"uid": "b", "time": 2.0, "other": "here"})
    assert uids(db(Key(key) == "here")) == ["a"]
    assert uids(db(~Key(key).exists())) == ["b"]
    assert uids(db(Key(key) == None)) == ["b"]  # noqa: E711
    assert uids(db(Key(key).matches("^h"))) == ["a"]
    assert uids(db(Key(key) >= "h")) == ["a"]
    assert dict(db().distinct(Key(key))) == {"here": 1}
    assert [header.uid for header in db().sort(Key(key))] == ["a", "b"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"a": {"$gtt": 5}}, r"\$gtt.*did you mean \$gt"),
        ({"a": {"$Exists": True}}, r"did you mean \$exists"),
        ({"$ro": [{"a": 1}]}, r"did you mean \$or"),
        ({"a": {"$regx": "x"}}, r"did you mean \$regex"),
        ({"a": {"$gt": 1, "b": 2}}, "mixes operators"),
        ({"$gt": 5}, "inside a key"),
        ({"a": {"$and": [{"b": 1}]}}, "in the place of a key"),
        ({"a": {"$in": 5}}, "takes a list"),
        ({"a": {"$in": "text"}}, "takes a list"),
        ({"a": {"$exists": "yes"}}, "True or False"),
        ({"a": {"$size": -1}}, "from 0"),
        ({"a": {"$size": 1.5}}, "whole numbers"),
        ({"a": {"$mod": [0, 1]}}, "divide by 0"),
        ({"a": {"$mod": 5}}, "divisor, remainder"),
        ({"a": {"$type": "strnig"}}, "is no type"),
        ({"a": {"$regex": "("}}, "not a valid pattern"),
        ({"a": {"$regex": 5}}, "must be text"),
        ({"a": {"$regex": "x", "$options": "q"}}, "unknown pattern flag"),
        ({"a": {"$options": "i"}}, r"needs a \$regex"),
        ({"$or": []}, "at least one"),
        ({"$or": {"a": 1}}, "takes a list"),
        ({"a": object()}, "type object"),
        ({"a": lambda: 1}, "type function"),
        ({5: 1}, "must be text"),
        ({"since": "last Tuesday week"}, "accepted are"),
        ({"until": [2015]}, "accepted are|cannot"),
        ({"data_key": 5}, "data_key takes"),
        (5, "cannot search for int"),
        (b"bytes", "cannot search for bytes"),
        (["a"], "cannot search for list"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once_with_a_hint(db, query, said):
    with pytest.raises(InvalidQuery, match=f"(?s){said}") as caught:
        db(query)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("operator", ["$where", "$expr", "$near", "$jsonSchema"])
def test_what_is_not_answered_here_says_so(db, operator):
    with pytest.raises(UnsupportedQuery, match=f"does not answer \\{operator}"):
        db({operator: "x"})


def test_values_of_unexpected_types_find_what_is_equal(db, save):
    save("a", 1.0, n=5, t="x", b=True, l=[1, 2])
    assert uids(db(n=np.int64(5))) == uids(db(n=np.float32(5))) == ["a"]
    assert uids(db(l=np.array([1, 2]))) == uids(db(l=(1, 2))) == ["a"]
    assert uids(db(t=np.str_("x"))) == uids(db(b=np.bool_(True))) == ["a"]
    for wrong in (5.5, "5", True, [5], {"n": 5}, 10**400, float("nan"), float("inf"), -0.0):
        assert uids(db(n=wrong)) == []


NUMBERS = [0, -1, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**400]
NUMBERS += [-(10**400), 0.1, 1e308, -1e308, 5e-324, float("inf"), -float("inf")]


def test_numbers_of_any_size_compare_exactly(db, save):
    for number, value in enumerate(NUMBERS):
        save(f"{number:02}", float(number), n=value)
    for limit in NUMBERS:
        for operator, name in (
            ("__gt__", "$gt"),
            ("__ge__", "$gte"),
            ("__lt__", "$lt"),
            ("__le__", "$lte"),
        ):
            wanted = [
                f"{place:02}"
                for place, value in enumerate(NUMBERS)
                if _compares(value, operator, limit)
            ]
            assert uids(db(n={name: limit})) == wanted, (name, limit)
        assert uids(db(n=limit)) == [f"{NUMBERS.index(limit):02}"]


def _compares(value, operator, limit):
    answer = getattr(value, operator)(limit)
    if answer is NotImplemented:  # an int leaves it to the float
        opposite = {"__gt__": "__lt__", "__ge__": "__le__", "__lt__": "__gt__", "__le__": "__ge__"}
        answer = getattr(limit, opposite[operator])(value)
    return answer


def test_a_pattern_that_blows_up_is_given_up_with_a_clear_error(db, save, monkeypatch):
    monkeypatch.setattr("databroker.query.patterns.PATTERN_SECONDS", 0.05)
    save("a", text="a" * 60 + "!")
    results = db(text={"$regex": "(a|aa)+$"})
    for ask in (lambda: list(results), results.count, results.first, results.to_frame):
        with pytest.raises(QueryTimeout, match=r"took longer.*Nested repetitions"):
            ask()


def test_a_pattern_that_blows_up_elsewhere_does_no_harm(db, save, monkeypatch):
    monkeypatch.setattr("databroker.query.patterns.PATTERN_SECONDS", 0.05)
    save("evil", text="a" * 60 + "!", plan_name="count")
    save("good", text="aaa", plan_name="scan")
    assert uids(db(plan_name="scan", text={"$regex": "(a|aa)+$"})) == ["good"]


@pytest.mark.parametrize("depth", [20, 99])
def test_deep_questions_are_answered_rightly(db, save, depth):
    save("a", n=1, deep={})
    save("b", n=2)
    query = {"n": 1}
    for level in range(depth - 1):
        query = {"$nor": [query]} if level % 2 else {"$and": [{"m": None}, {"$not": query}]}
    wanted = "ab"[(depth - 1) % 2]  # each level says the opposite
    try:
        found = uids(db(query))
    except InvalidQuery as error:
        assert depth == 99
        assert "levels deep" in str(error)  # noqa: PT017
    else:
        assert found == [wanted]
        assert db(query).count() == 1


@pytest.mark.parametrize(
    "wrap",
    [
        lambda query: {"$and": [query, {"b": 1}]},
        lambda query: {"$nor": [query]},
        lambda query: {"$or": [query, query]},
        lambda query: {"a": {"$elemMatch": query}},
        lambda query: {"a": query},
    ],
)
def test_questions_nested_a_thousand_deep_are_refused(db, save, wrap):
    save("a", n=1)
    query = {"n": 1}
    for _ in range(1_000):
        query = wrap(query)
    with pytest.raises(InvalidQuery, match="levels deep"):
        db(query)


def test_objects_nested_a_thousand_deep_are_refused():
    for wrap in (
        lambda query: ~(query & (Key("m") == 1)) | (Key("o") == 1),
        lambda query: Key("a").elem_match(query),
    ):
        with pytest.raises(InvalidQuery, match="levels deep"):
            functools.reduce(lambda query, _: wrap(query), range(1_000), Key("n") == 1)


def test_broad_questions_are_answered(db, save):
    for number in range(50):
        save(f"{number:02}", float(number), n=number, tags=[f"t{number}", "all"])
    either = Or(Key("n") == number for number in range(0, 3_000, 2))
    assert db(either).count() == 25
    assert db(~either).count() == 25
    with pytest.warns(NothingFoundWarning, match="no run has the key 'k0'"):
        assert db(Or(Key(f"k{number}") == 1 for number in range(2_000))).count() == 0
    assert db(And(Key("tags") == "all" for _ in range(2_000))).count() == 50
    assert db(And(Key("n") != number for number in range(2_000))).count() == 0
    assert db(And(Key("n") != number for number in range(1_000, 3_000))).count() == 50
    assert db(n={"$in": list(range(10, 100_000))}).count() == 40
    assert db(n={"$nin": list(range(10, 100_000))}).count() == 10
    assert db(tags={"$all": ["all"] * 2_000}).count() == 50
    assert uids(db(uid={"$in": [f"{number:02}" for number in range(5_000)]})) == [
        f"{number:02}" for number in range(50)
    ]
    assert db(" ".join(f"-w{number}" for number in range(2_000)) + " all").count() == 50


def test_paths_of_many_parts_are_answered_or_refused(db, save):
    inner = "end"
    for _ in range(60):
        inner = {"a": inner}
    save("deep", **inner)
    assert uids(db(Key(".".join("a" * 60)) == "end")) == ["deep"]
    with pytest.warns(NothingFoundWarning):
        assert uids(db(Key(".".join("0" * 60)) == "end")) == []
    with pytest.raises(InvalidQuery, match="100 parts"):
        Key(".".join("a" * 200))


def test_huge_documents_are_found_by_what_is_far_inside(db, save):
    save("wide", **{f"k{number}": number for number in range(20_000)})
    save("long", 1.0, values=list(range(5_000)), text=" ".join(f"w{n}" for n in range(30_000)))
    save("nested", 2.0, values=[[number] for number in range(500)])
    assert uids(db(k19999=19_999)) == ["wide"]
    assert uids(db(values=4_999)) == ["long"]
    assert uids(db(values=[499])) == ["nested"]
    assert uids(db("w29999")) == ["long"]
    assert uids(db("-w29999")) == ["nested", "wide"]
    assert uids(db(Key("values").elem_match(Item > 4_998))) == ["long"]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to send to a thread")
def test_ctrl_c_ends_a_long_search(db, save, monkeypatch):
    for number in range(300):
        save(f"{number:03}", float(number), text="a" * 5_000)
    if "sqlite" in str(db.store):
        # As long as a search of a huge catalog, in one statement.
        connection = db.store._connections.get()
        slow = "SELECT count(*) FROM numbers a, numbers b, numbers c, numbers d"
        monkeypatch.setattr(
            "databroker.stores.sql.search.search.Search.count",
            lambda search: connection.execute(slow).fetchone()[0],
        )
    ended = threading.Event()

    def press():
        # Python drops what is raised while it finalizes an object: a person presses again.
        while not ended.wait(0.3):
            os.kill(os.getpid(), signal.SIGINT)

    hand = threading.Thread(target=press)
    # Where tests run in the background, the shell may have set it aside.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hand.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            deque(iter(db(text={"$regex": "b$"}).count, "never"))
    finally:
        ended.set()
        hand.join()
        signal.signal(signal.SIGINT, before)
    assert db(Key("uid") == "005").first().uid == "005"
