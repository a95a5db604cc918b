"""Patterns that would take memory without an end are refused before they take any."""

import pytest

from databroker.errors import InvalidQuery
from databroker.query.patterns import compile_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(?R)",
        "x|(?R)",
        r"\\(?R)",
        "(?P<n>(?&n))",
        "(a(?1)?)",
        "(?P<n>a)(?P>n)",
        "(?=.*){5000000}",
        "(?:(?:(?=h){100}){100}){100}",
        "^{1000000}",
        "(a) {1000000}",
        "a{1000000}",
        "a{1000}{1000}",
        "(?<=h){99999999999999999999}",
    ],
)
def test_what_takes_much_memory_is_refused(pattern):
    with pytest.raises(InvalidQuery, match=r"calls itself|repeats too much"):
        compile_pattern(pattern, "x" if " " in pattern else "")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "0bffac43-2002-40b5-a9a5-e1aa6debf59f"),
        (r"^\d{4}-\d{2}-\d{2}(?P<n>x)?(?(n)y)$", "2026-11-27"),
        (r"f\(?R", "f(R"),
        (r"^a{1000,}$", "a" * 1000),
        (r"\{5}", "{5}"),
    ],
)
def test_counts_and_conditions_as_people_write_them_are_taken(pattern, text):
    assert compile_pattern(pattern).search(text)
