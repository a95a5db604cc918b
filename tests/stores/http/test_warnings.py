"""What a store behind a server warns of is said to whoever asks for it, where they ask."""

import warnings
from contextlib import closing, contextmanager

import pytest

from databroker.errors import DamageWarning, SlowSearchWarning, UnavailableWarning
from databroker.query.nodes import Everything
from databroker.server import Access, Caller
from databroker.stores.http import HTTPStore
from databroker.stores.wire.warnings import HEADER, of_header, to_plain, warn_again
from helpers.door import MINE
from helpers.serving import served
from helpers.worried import Worried


class Known:
    """Knows everybody as one."""

    def __init__(self, caller):
        self._caller = caller

    may_wait = False

    def authenticate(self, credentials):
        return self._caller


@contextmanager
def store_for(*query):
    """Have a store whose server knows this process as somebody who sees some runs."""
    access = Access([Known(Caller("ann", frozenset({"read"}), *query))])
    with served(Worried(), access=access) as server, closing(HTTPStore(server.uri)) as store:
        yield store


@pytest.fixture
def said():
    """What was said to this module, rather than in the thread of the server."""
    with warnings.catch_warnings(record=True, action="always") as caught:
        yield lambda: [(w.category, str(w.message)) for w in caught if w.filename == __file__]


def test_with_an_answer(said):
    with store_for() as store:
        assert store.count(Everything()) == 1
        assert said() == [(DamageWarning, "Run 'é' is left out.")]


def test_with_the_last_items(said):
    with store_for() as store:
        runs = list(store.find(Everything(), limit=4))
        assert [run.uid for run in runs] == [f"run {n}" for n in range(4)]
        assert said() == [
            (SlowSearchWarning, "It is slow."),
            (UnavailableWarning, "Another one is away."),
        ]


def test_whoever_sees_some_runs_alone_hears_of_no_others(said):
    with store_for(MINE) as store:
        store.count(Everything())
        list(store.find(Everything()))
    assert said() == []


def test_it_is_said_once_for_an_answer():
    assert to_plain([("a", DamageWarning), ("a", DamageWarning)]) == [["DamageWarning", "a"]]
    many = to_plain([(f"{n}" * 10_000, UserWarning) for n in range(100)])
    assert sum(len(message) for _, message in many) < 10_000


@pytest.mark.parametrize("odd", [None, 5, {"a": 1}, [5], [["a"]], [["DamageWarning", 5]], "ab"])
def test_what_is_no_warning_is_passed_over(odd):
    warn_again(odd)


@pytest.mark.parametrize("name", ["StoreDamaged", "annotations", "Nothing", "__name__"])
def test_what_is_not_known_is_a_warning_all_the_same(name):
    with pytest.warns(UserWarning, match="so"):
        warn_again([[name, "so"]])
    assert of_header("{") == of_header(None) == []
    assert HEADER.isascii()
