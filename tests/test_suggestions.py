"""Tests of the suggestion that goes with a name that is not known."""

import pytest

from databroker._util.suggestions import did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("PRIMARY", "primary"),
        ("primry", "primary"),
        ("Eta", "ETA"),
        ("", None),
        ("zebra", None),
        (5, None),
        (None, None),
        ("primary" * 100, None),
    ],
)
def test_the_nearest_name_is_found_whatever_its_case(word, meant):
    assert nearest(word, ["primary", "ETA"]) == meant


def test_of_names_that_differ_in_case_alone_the_first_is_meant():
    assert nearest("Eta", ["eta", "ETA"]) == "eta"


def test_with_nothing_known_nothing_is_suggested():
    assert did_you_mean("eta", []) == ""
