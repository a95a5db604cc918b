"""Regular expressions in questions: checked when asked, run with a time limit."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .._util.lazy import lazy_module
from .._util.printable import shown
from .._util.signals import not_from_signal
from ..errors import InvalidQuery, QueryTimeout, UnsupportedQuery
from .nodes import Matches, Path
from .time_limit import check_time

if TYPE_CHECKING:
    import regex
else:
    regex = lazy_module("regex")

#: How long a pattern may take on one run before the search is given up.
PATTERN_SECONDS = 1.0

#: The letters that a pattern's flags can have, and what ``regex`` calls them.
FLAGS = {
    "a": "ASCII",
    "i": "IGNORECASE",
    "m": "MULTILINE",
    "s": "DOTALL",
    "x": "VERBOSE",
}
_LONGEST = 10_000
_LARGEST = 100_000
_CALL = re.compile(r"(?<!\\)(?:\\\\)*\(\?(?:R|[+-]?\d|&|P>)")
_COUNT = re.compile(r"(.)\{\s*(\d+)", re.DOTALL)
_BEGINNING = re.compile(r"(?:\^|\\A)((?:[\w \-/]|\\[.\-/_])+)", re.ASCII)


def is_pattern(value: Any) -> bool:
    """Tell whether a value is a compiled pattern of ``re`` or ``regex``."""
    return isinstance(value, re.Pattern | regex.Pattern)


def compile_pattern(pattern: str, flags: str = "") -> Any:
    """Compile a pattern with letters for flags.

    Examples
    --------
    >>> compile_pattern("ni", "i").search("Ni foil").group()
    'Ni'
    >>> compile_pattern("(")
    Traceback (most recent call last):
    databroker.errors.InvalidQuery: not a valid pattern: '(' (missing ) at position 1)
    """
    check_time()
    _check_size(pattern)
    bits = regex.VERSION0
    for letter in flags:
        bits |= getattr(regex, FLAGS[letter])
    try:
        return regex.compile(pattern, bits)
    except (regex.error, ValueError, OverflowError, RecursionError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        raise InvalidQuery(f"not a valid pattern: {pattern[:80]!r} ({reason})") from error


def _check_size(pattern: str) -> None:
    """Refuse a pattern that takes much memory, for which no limit of time helps.

    What must come so many times is compiled so many times, and calls are a stack without an end.
    """
    if len(pattern) > _LONGEST:
        raise InvalidQuery(f"a pattern may have at most {_LONGEST} characters")
    if _CALL.search(pattern):
        raise InvalidQuery(
            f"the pattern {pattern[:80]!r} calls itself or a group of its own, as by (?R) or (?1), "
            "which needs memory without an end: write what it calls in its place"
        )
    single, together = 0, 1
    for before, digits in _COUNT.findall(pattern):
        count = int(digits[:9])
        if before in ")}?*+" or before.isspace():  # perhaps of a group, with what is in it
            together *= max(count, 1)
        else:
            single += count
    if (len(pattern) + single) * together > _LARGEST:
        raise InvalidQuery(
            f"the pattern {pattern[:80]!r} repeats too much too often: say smaller counts in {{}}, "
            "or + for any number"
        )


def matching(path: Path, pattern: Any, flags: str = "") -> Matches:
    """Make a node that searches for a pattern: text, or compiled, with flags of its own.

    Of `flags`, the letter ``u`` is accepted and changes nothing.
    """
    if not isinstance(flags, str):
        raise InvalidQuery(f"flags are letters such as 'i', not {shown(flags)}")
    letters = set(flags) - {"u"}
    if unknown := sorted(letters - set(FLAGS)):
        raise InvalidQuery(f"unknown pattern flag {unknown[0]!r}; known are {', '.join(FLAGS)}")
    if is_pattern(pattern):
        letters |= _letters(pattern)
        pattern = pattern.pattern
    if not isinstance(pattern, str):
        raise InvalidQuery(
            f"a pattern must be text or a compiled text pattern, not {type(pattern).__name__}"
        )
    node = Matches(path, str(pattern), "".join(sorted(letters)))
    compile_pattern(node.pattern, node.flags)
    return node


def _letters(pattern: Any) -> set[str]:
    bits = {letter: getattr(regex, flag) for letter, flag in FLAGS.items()}
    # Unicode matching is what text patterns do anyway; version 0 is re's own syntax.
    known = regex.UNICODE | regex.VERSION0 | sum(bits.values())
    if isinstance(pattern, regex.Pattern) and pattern.flags & ~known:
        raise UnsupportedQuery(
            "this pattern was compiled with flags that only the regex package has; "
            "write them into the pattern, such as (?V1)"
        )
    return {letter for letter, bit in bits.items() if pattern.flags & bit}


def literal_beginning(pattern: str, flags: str = "") -> str:
    r"""Return the text that each match begins with, at the beginning of the text.

    Examples
    --------
    >>> literal_beginning("^scan_4.*x"), literal_beginning(r"\Aa\.b"), literal_beginning("^ab*")
    ('scan_4', 'a.b', 'a')
    >>> literal_beginning("scan"), literal_beginning("^a|b"), literal_beginning("^a", "i")
    ('', '', '')
    """
    found = _BEGINNING.match(pattern)
    if not found or set("imx") & set(flags) or "|" in pattern or "(?" in pattern:
        return ""
    literal = re.sub(r"\\(.)", r"\1", found[1])
    # What is repeated, perhaps not at all, is not sure to be there.
    return literal[:-1] if pattern[found.end() : found.end() + 1] in set("*+?{") else literal


def searcher(node: Matches) -> Callable[[Iterable[Any]], bool]:
    """Make a function that tells whether the pattern is found in a text among some values."""
    search = compile_pattern(node.pattern, node.flags).search

    def is_found(values: Iterable[Any]) -> bool:
        check_time()
        end: float | None = None
        for value in values:
            if isinstance(value, str):
                end = end or time.monotonic() + PATTERN_SECONDS
                if _search(search, value, end, node):
                    return True
        return False

    return is_found


def _search(search: Callable[..., Any], text: str, end: float, node: Matches) -> bool:
    # regex takes a timeout of 0 for none at all.
    left = max(end - time.monotonic(), 1e-3)
    try:
        return search(text, timeout=left) is not None
    except not_from_signal(TimeoutError) as error:
        raise QueryTimeout(
            f"the pattern {node.pattern!r} took longer than {PATTERN_SECONDS:g} s on one run "
            f"(key {node.path.text!r}). Nested repetitions such as (a+)+ are the usual cause; "
            "write the pattern so that a text can match it in one way only"
        ) from error
