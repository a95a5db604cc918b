"""Text as databases hold it keeps what it says, its order and its beginnings."""

from hypothesis import given
from hypothesis import strategies as st

from databroker._util.portable_text import original, portable, with_prefix

EDGES = "\0\1\2a\ud7fe\ud7ff\ud800\ud801\udfff\ue000\U0010fffd\U0010fffe\U0010ffff"
TEXT = st.text(st.sampled_from(EDGES) | st.characters(exclude_categories=()))


@given(TEXT)
def test_it_can_be_held_and_says_the_same(text):
    held = portable(text)
    assert "\0" not in held
    assert held.encode().decode() == held
    assert original(held) == text


@given(TEXT, TEXT)
def test_its_order_is_that_of_the_text(one, other):
    assert (portable(one) < portable(other)) == (one < other)
    assert (portable(one).encode() < portable(other).encode()) == (one < other)


@given(TEXT.filter(bool), TEXT)
def test_what_begins_with_it_lies_between_it_and_the_next(prefix, text):
    first, stop = with_prefix(prefix)
    assert first <= portable(prefix + text) < stop
    assert (first <= portable(text) < stop) == text.startswith(prefix)
    assert stop.encode()
