"""The table of calls is the contract: whatever a store is asked can be asked over the wire."""

import inspect

import pytest

from databroker import errors
from databroker.server.openapi import openapi
from databroker.stores.base import Store
from databroker.stores.delegating import DelegatingStore
from databroker.stores.http import HTTPStore
from databroker.stores.wire.calls import CALLS
from databroker.stores.wire.problems import from_problem, status_of, to_problem

NOT_CALLED = {
    "reach": "the server says what its store can do",
    "prepare": "it is for this process",
    "wait_for_changes": "the server tells of changes by itself",
    "expect_changes": "the server tells of changes by itself",
    "backup": "it is for who has the server",
    "read_array": "the server reads what its store has, as it reads files",
    "check": "whatever can be read is read, over the wire",
    "create_indexes": "it is for who has the server",
}
"""What a store is asked but its server is not, and why."""


def test_every_question_of_the_contract_can_be_called():
    methods = {name for name, value in vars(DelegatingStore).items() if inspect.isfunction(value)}
    called = {name for name, call in CALLS.items() if not call.writes}
    assert methods - {"ask"} - NOT_CALLED.keys() == called
    assert vars(HTTPStore).keys() >= NOT_CALLED.keys()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_takes_what_its_method_takes(call):
    _, *parameters = inspect.signature(getattr(Store, call.name)).parameters
    assert list(call.takes) == parameters
    assert call.says


def test_the_description_names_every_call():
    found = openapi(CALLS.values(), "3.0")
    asked = {
        path.rpartition("/")[2]: each["post"]
        for path, each in found["paths"].items()
        if "post" in each
    }
    assert list(asked) == list(CALLS)
    for each in asked.values():
        body = each["requestBody"]["content"]["application/json"]["schema"]
        assert set(body["required"]) <= body["properties"].keys()


def kinds(kind=errors.DatabrokerError):
    """Yield the classes of errors, each once or more often."""
    if not kind.__name__.startswith("_"):
        yield kind
    for sub in kind.__subclasses__():
        if sub.__module__ == errors.__name__:
            yield from kinds(sub)


@pytest.mark.parametrize("kind", dict.fromkeys(kinds()), ids=lambda kind: kind.code)
def test_errors_keep_their_class_and_words(kind):
    again = from_problem(dict(to_problem(kind("it went wrong"))))
    assert type(again) is kind
    assert str(again) == "it went wrong"
    assert 400 <= status_of(again) < 600


@pytest.mark.parametrize("odd", [None, [], {"code": "of the future", "message": "so"}, {}])
def test_errors_that_are_not_known_are_failures_of_the_store(odd):
    assert type(from_problem(odd)) is errors.StoreUnavailable
