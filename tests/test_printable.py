"""Tests of how anything becomes text that may stand on a screen."""

import pytest

from databroker._util.printable import pformat_of_tree, repr_of, repr_of_tree, shown, text_of
from databroker._util.printable import type_name as name_of_type
from databroker._util.secrets import has_password
from databroker._util.signals import suppressed

HUGE = 10**5000  # more digits than Python writes


@pytest.mark.parametrize(
    "write", [text_of, repr_of, repr_of_tree, lambda value: shown(value, 9999)]
)
def test_integers_of_any_length_are_written(write):
    assert len(write(HUGE)) > 4000


def test_what_is_usual_is_written_as_python_does():
    assert text_of(5) == "5"
    assert repr_of("a") == "'a'"
    assert repr_of_tree({"a": [1]}) == "{'a': [1]}"
    assert name_of_type(5) == "int"


def test_a_tree_with_a_long_integer_is_written():
    assert len(repr_of_tree({"a": [HUGE]})) > 4000


def test_a_long_tree_takes_several_lines():
    tree = {"a": "x" * 40, "b": "y" * 40}
    assert pformat_of_tree(tree) == f"{{'a': '{'x' * 40}',\n 'b': '{'y' * 40}'}}"


def test_what_says_a_password_is_told_from_what_does_not():
    assert has_password("mongodb://ann:s3cret@host/runs")
    assert not has_password("/data/runs.db")


def test_exceptions_are_suppressed_by_their_kind():
    with suppressed(OSError):
        raise FileNotFoundError
    with pytest.raises(KeyError), suppressed(OSError):
        {}["a"]
