"""Several items as a sequence of MessagePack values, and whether all of them came.

An item is a list with it alone. Last comes a dictionary: ``{"end": true}``, or ``{"error": ...}``
where one arose on the way; what the store warned of is in it, too, as ``"warnings"``. A sequence
without it broke off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgpack

from ...documents.encode import decoder, encode
from .problems import Problem

Plain = list[list[str]]
"""Warnings, as they travel."""


def item(plain: Any) -> bytes:
    """Return an item of a sequence."""
    return encode([plain])


def end(warnings: Plain | None = None) -> bytes:
    """Return the end of a sequence."""
    return encode({"end": True} | ({"warnings": warnings} if warnings else {}))


def failure(problem: Problem, warnings: Plain | None = None) -> bytes:
    """Return the end of a sequence that an error ended."""
    return encode({"error": problem} | ({"warnings": warnings} if warnings else {}))


def parts(chunks: Iterator[bytes]) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Yield the items of a sequence, those of each chunk together, and its end with the last ones.

    With others the end is empty. Before it is given, all chunks are taken: a connection that has
    been read to its end can be used again at once, whether or not somebody asks for what comes
    after the last item.

    Raises
    ------
    ValueError
        It is none.
    EOFError
        It broke off.

    Examples
    --------
    >>> list(parts(iter([item("a") + item("b")[:1], item("b")[1:] + end()])))
    [(['a'], {}), (['b'], {'end': True})]
    >>> list(parts(iter([item("a")])))
    Traceback (most recent call last):
    EOFError: the answer broke off
    """
    unpacker = decoder()
    for chunk in chunks:
        unpacker.feed(chunk)
        part, last = _part(unpacker)
        if last:
            for _ in chunks:
                pass
        yield part, last
        if last:
            return
    raise EOFError("the answer broke off")


def _part(unpacker: msgpack.Unpacker) -> tuple[list[Any], dict[str, Any]]:
    """Return the items that have come, and the end of the sequence, empty if it has not."""
    part = []
    for value in _values(unpacker):
        if isinstance(value, list) and len(value) == 1:
            part.append(value[0])
        elif isinstance(value, dict) and ("error" in value or "end" in value):
            return part, value
        else:
            raise ValueError("the answer is no sequence of items")
    return part, {}


def _values(unpacker: msgpack.Unpacker) -> Iterator[Any]:
    try:
        yield from unpacker
    except (msgpack.UnpackException, SyntaxError, TypeError, KeyError) as error:
        raise ValueError(f"the answer is not encoded as it should be: {error}") from error
