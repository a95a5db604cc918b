"""Several items as a sequence of MessagePack values, and whether all of them came.

An item is a list with it alone. Last comes a dictionary: ``{"end": true}``, or ``{"error": ...}``
where one arose on the way. A sequence without it broke off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgpack

from ...documents.encode import decoder, encode
from .failures import Problem, from_problem

END = encode({"end": True})
"""What stands at the end."""


def item(plain: Any) -> bytes:
    """Return an item of a sequence."""
    return encode([plain])


def failure(problem: Problem) -> bytes:
    """Return the end of a sequence that an error ended."""
    return encode({"error": problem})


def items(chunks: Iterator[bytes]) -> Iterator[Any]:
    """Yield the items of a sequence that comes in chunks.

    Raises
    ------
    DatabrokerError
        What ended the sequence on the other side.
    ValueError
        It is none.
    EOFError
        It broke off.

    Examples
    --------
    >>> list(items(iter([item("a") + item("b")[:1], item("b")[1:] + END])))
    ['a', 'b']
    >>> list(items(iter([item("a")])))
    Traceback (most recent call last):
    EOFError: the answer broke off
    """
    unpacker = decoder()
    for chunk in chunks:
        unpacker.feed(chunk)
        for value in _values(unpacker):
            if isinstance(value, list) and len(value) == 1:
                yield value[0]
            elif isinstance(value, dict) and "error" in value:
                raise from_problem(value["error"])
            elif value == {"end": True}:
                for _ in chunks:  # a connection of which all was read can be used again
                    pass
                return
            else:
                raise ValueError("the answer is no sequence of items")
    raise EOFError("the answer broke off")


def _values(unpacker: msgpack.Unpacker) -> Iterator[Any]:
    try:
        yield from unpacker
    except (msgpack.UnpackException, SyntaxError, TypeError, KeyError) as error:
        raise ValueError(f"the answer is not encoded as it should be: {error}") from error
