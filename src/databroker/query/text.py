"""The one definition of a word, for the evaluator and for every store's index.

Letters and digits make words; everything else separates them. Upper and lower
case are the same, and so are letters with and without accents:

>>> list(words("Good sample; STRASSE or Straße, Ångström, ﬁlter, cœur, m²"))
['good', 'sample', 'strasse', 'or', 'strasse', 'angstrom', 'filter', 'coeur', 'm2']

Hyphens, dots, underscores, slashes and the like separate. What is written with
them is found by its parts, and as a whole, since a search term that contains
several words stands for these words next to each other:

>>> list(words("well-known sample_42 1.5e-3 a@b.org /data/x.h5"))
['well', 'known', 'sample', '42', '1', '5e', '3', 'a', 'b', 'org', 'data', 'x', 'h5']
>>> parse_text("sample_42")
FullText('"sample 42"')

Chinese characters and Japanese kana stand for themselves, one by one, because
no spaces show where words begin; so any part of such a text can be found:

>>> list(words("超伝導 Ni カメラ"))
['超', '伝', '導', 'ni', 'カ', 'メ', 'ラ']

In a search, all words must occur, in any order; ``"quoted words"`` must occur
next to each other in one value; ``-word`` and ``-"quoted words"`` must not
occur (so a negative number is searched for in quotes):

>>> parse_text('good "Ni foil" -burnt')
FullText('good "ni foil" -"burnt"')
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._util.lazy import lazy_module
from ..errors import InvalidQuery
from .nodes import FullText

if TYPE_CHECKING:
    import regex
else:
    regex = lazy_module("regex")

#: Of a longer word only this many characters count, in texts and in searches.
MAX_WORD = 128

_ASCII = bytes(
    ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else ord(" ")
    for code in range(256)
)
# Accents proper. Other marks (Indic vowels, kana voicing) make different letters, and
# the Greek iota below a letter (0345) is a letter beside it in capitals.
_ACCENTS = re.compile(
    "[\u0300-\u0344\u0346-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Letters that Unicode does not take apart, but that people type apart.
_APART = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "\u0131": "i", "ŋ": "n"}
)
_ONE_BY_ONE = r"\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}"
_TERM = re.compile(r'(?P<minus>-?)(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]+))')
_SCALARS = frozenset({int, float, bool, type(None)})
_QUOTES = str.maketrans(dict.fromkeys("“”„«»", '"'))


def words(text: str) -> list[str]:
    """Give the words of a text, folded, in their order."""
    if not text.isascii():
        text = fold(text)
    if text.isascii():
        # Bytes are translated at memory speed, and most metadata is ASCII.
        split = text.encode().translate(_ASCII).decode().split()
    else:
        split = _word_pattern().findall(text)
    return [word[:MAX_WORD] for word in split] if len(text) > MAX_WORD else split


@functools.cache
def _word_pattern() -> regex.Pattern[str]:
    return regex.compile(rf"[{_ONE_BY_ONE}]|[^\W_{_ONE_BY_ONE}]+", regex.V0)


def fold(text: str) -> str:
    """Take case, accents and compatibility forms out of a text.

    >>> fold("Straße ÅNGSTRÖM ﬁ m² Łódź")
    'strasse angstrom fi m2 lodz'
    """
    if text.isascii():
        return text.lower()
    while (folded := _fold_once(text)) != text and not folded.isascii():
        # A few characters need a second turn, such as those whose lower case
        # brings an accent of its own; what is folded must stay as it is.
        text = folded
    return folded


def _fold_once(text: str) -> str:
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    apart = unicodedata.normalize("NFKD", bare.casefold()).translate(_APART)
    # Composed again, so that Hangul and voiced kana are one letter each.
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


def texts_of(document: Any) -> Iterator[str]:
    """Iterate over all text values in a document, at any depth, never its keys."""
    # A stack of our own: documents may be nested as deeply as they like.
    stack: list[Iterator[Any]] = [iter((document,))]
    while stack:
        for value in stack[-1]:
            if isinstance(value, str):
                yield value
            elif (inner := _inside(value)) is not None:
                stack.append(iter(inner))
                break
        else:
            stack.pop()


def _inside(value: Any) -> Iterable[Any] | None:
    kind = type(value)
    if kind in _SCALARS:
        return None
    if kind is dict or isinstance(value, Mapping):
        return value.values()  # type: ignore[no-any-return]
    if isinstance(value, list | tuple):
        return value
    dtype = getattr(value, "dtype", None)
    if dtype is not None and dtype.kind in "OUT" and value.ndim:
        return value.tolist()  # type: ignore[no-any-return]
    return None


def contains_phrase(text_words: list[str], phrase: tuple[str, ...]) -> bool:
    """Tell whether words occur in a text next to each other."""
    # Words contain no spaces, so this compares whole words.
    return f" {' '.join(phrase)} " in f" {' '.join(text_words)} "


def parse_text(text: str) -> FullText:
    """Read what a person typed into a search box.

    >>> query = parse_text('good well-known -"very bad"')
    >>> query.words, query.phrases, query.excluded
    (('good',), (('well', 'known'),), (('very', 'bad'),))
    """
    single: dict[str, None] = {}
    phrases: dict[tuple[str, ...], None] = {}
    excluded: dict[tuple[str, ...], None] = {}
    for term in _TERM.finditer(text.translate(_QUOTES)):
        phrase = tuple(words(term["quoted"] if term["bare"] is None else term["bare"]))
        if not phrase:
            continue
        if term["minus"]:
            excluded[phrase] = None
        elif len(phrase) == 1:
            single[phrase[0]] = None
        else:
            phrases[phrase] = None
    if not (single or phrases or excluded):
        raise InvalidQuery(f"no word to search for in {text[:80]!r}; letters and digits make words")
    return FullText(tuple(single), tuple(phrases), tuple(excluded))
