"""The known name that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable

from .printable import text_of

_LONGEST = 200
_ENOUGH_ALIKE = 0.6


def nearest(word: object, known: Iterable[str]) -> str | None:
    """Return the known name that is most like a word, whatever the case; None if none is."""
    if len(text := text_of(word)) > _LONGEST:  # comparing takes the square of the length
        return None
    import difflib  # most words are known, and then it is not needed

    names: dict[str, str] = {}
    for name in known:
        names.setdefault(name.lower(), name)
    near = difflib.get_close_matches(text.lower(), names, n=1, cutoff=_ENOUGH_ALIKE)
    return names[near[0]] if near else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return `` Did you mean ...?`` with the nearest known name, or nothing.

    Examples
    --------
    >>> did_you_mean("pth", ["path", "durability"])
    " Did you mean 'path'?"
    """
    near = nearest(word, known)
    return "" if near is None else f" Did you mean {near!r}?"
