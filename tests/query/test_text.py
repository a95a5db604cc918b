import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker.errors import InvalidQuery
from databroker.queries import FullText
from databroker.query.evaluate import RunView, matches
from databroker.query.text import MAX_WORD, fold, parse_text, texts_of, words
from helpers.strategies import documents


def found(query, *texts):
    return matches(parse_text(query), RunView({"nested": {"texts": list(texts)}}))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("good", "good sample"),
        ("SAMPLE good", "good sample"),
        ("strasse", "Straße 5"),
        ("STRASSE", "Straße 5"),
        ("straße", "STRASSE"),
        ("angstrom", "Ångström"),
        ("Ångström", "A\u030angstrom"),
        ("filter", "ﬁlter"),
        ("coeur", "cœur"),
        ("ionization", "\uff29on\uff29zation"),
        ("οδος", "ΟΔΟΣ"),
        ("1.5e-3", "exposure 1.5e-3 s"),
        ("1.5", "exposure 1.5e3, then 1.5 s"),
        ("well-known", "a well-known sample"),
        ("known", "a well-known sample"),
        ("sample_42", "see sample_42.h5"),
        ("sample", "see sample_42.h5"),
        ("42", "see sample_42.h5"),
        ("ada@lab.org", "mail to ada@lab.org!"),
        ("/data/x.h5", "/nsls2/data/x.h5"),
        ("x.h5", "/nsls2/data/x.h5"),
        ("超伝", "高温超伝導体"),
        ("伝導", "高温超伝導体"),
        ("カメラ", "新しいカメラ"),
        ("한국어", "한국어 시료"),
        ("नमूना", "अच्छा नमूना"),
        ("'; drop table runs; --", "drop the table that runs"),
        ("100%", "at 100 %"),
    ],
)
def test_found(query, text):
    assert found(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("goo", "good sample"),
        ("ood", "good sample"),
        ("good bad", "good sample"),
        ("1.5e-3", "1.5e-4"),
        ("1.5e-3", "3 5e 1"),
        ("well-known", "known well"),
        ("sample_42", "sample_43, run 42"),
        ("ada@lab.org", "lab of ada, org"),
        ("導伝", "高温超伝導体"),
        ("한국", "한국어 시료"),
        ("ガ", "カメラ"),
        ('"good sample"', "sample good"),
        ('"good sample"', "good old sample"),
        ('"ood sample"', "good sample"),
        ('"good sam"', "good sample"),
        ("good -sample", "good sample"),
        ('-"good sample"', "a good sample"),
        ("-sample_42", "sample 42"),
    ],
)
def test_not_found(query, text):
    assert not found(query, text)


def test_words_may_be_in_different_values_but_a_phrase_may_not():
    assert found("good sample", "good", "sample")
    assert not found('"good sample"', "good", "sample")


def test_exclusion_alone_is_a_search():
    assert found("-burnt", "good sample")
    assert found('-"good old"', "good sample", "old")


def test_keys_are_not_searched():
    assert not matches(FullText("sample"), RunView({"sample": "Ni"}))


def test_typographic_and_unfinished_quotes_are_quotes():
    assert parse_text("“good sample” x") == parse_text('"good sample" x')
    assert parse_text('x "good sample') == parse_text('x "good sample"')


@pytest.mark.parametrize("text", ["", "  ", "???", "-", '""', '-"" _', "\x00", "😀"])
def test_a_text_without_words_is_refused(text):
    with pytest.raises(InvalidQuery, match="no word to search for"):
        parse_text(text)


def test_only_the_beginning_of_an_endless_word_counts():
    assert words("x" * 1000) == ["x" * MAX_WORD]
    assert found("x" * 500, "x" * 1000)


def test_texts_at_any_depth_of_any_container():
    np = pytest.importorskip("numpy")
    document = {
        "a": np.array(["one", "two"]),
        "b": np.array([{"c": "three"}], dtype=object),
        "c": np.arange(5),
        "d": ("four", [["five"]]),
        "e": np.str_("six"),
    }
    assert sorted(texts_of(document)) == ["five", "four", "one", "six", "three", "two"]
    deep = "bottom"
    for _ in range(50_000):
        deep = [deep]
    assert list(texts_of({"a": deep})) == ["bottom"]


@given(documents)
def test_every_word_of_a_document_finds_it(document):
    for word in {word for text in texts_of(document) for word in words(text)}:
        assert matches(FullText(word), RunView(document))
        assert not matches(FullText(f"-{word}"), RunView(document))


@given(documents)
def test_every_text_with_words_finds_its_document_as_a_whole(document):
    for text in texts_of(document):
        if words(text):
            assert matches(FullText('"' + text.replace('"', " ") + '"'), RunView(document))


@given(st.text())
def test_folding_is_done_after_once(text):
    assert fold(fold(text)) == fold(text)
    assert words(fold(text)) == words(text)


@given(st.text())
def test_case_and_composition_never_matter(text):
    import unicodedata

    expected = words(text)
    assert words(unicodedata.normalize("NFD", text)) == expected
    assert words(unicodedata.normalize("NFC", text)) == expected
    assert words(text.casefold()) == expected


@given(st.text(alphabet=st.characters(categories=["L", "N", "Z"])))
def test_capitals_find_small_letters(text):
    assert words(text.upper()) == words(text.lower())


@given(st.text(min_size=1))
def test_words_are_words_of_themselves(text):
    for word in words(text):
        assert words(word) == [word]


@given(st.text(), st.text())
def test_a_space_separates(one, other):
    assert words(f"{one} {other}") == words(one) + words(other)


@given(st.text(alphabet='ab"- _é漢', max_size=20))
def test_what_was_read_reads_the_same_when_printed(text):
    try:
        node = parse_text(text)
    except InvalidQuery:
        return
    assert eval(repr(node), {"FullText": FullText}) == node


def test_ten_megabytes_are_split_in_about_a_second():
    text = "exposure of sample_42 at 300 K; " * 330_000
    begin = time.perf_counter()
    assert len(words(text)) == 7 * 330_000
    assert time.perf_counter() - begin < 5  # generous: test machines are slow and shared
