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


def parts(chunks: Iterator[bytes]) -> Iterator[tuple[list[Any], bool]]:
    """Yield the items of a sequence, those of each chunk together, and whether they are the last.

    Before the last ones come, all chunks are taken: a connection that has been read to its end can
    be used again at once, whether or not somebody asks for what comes after the last item.

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
    >>> list(parts(iter([item("a") + item("b")[:1], item("b")[1:] + END])))
    [(['a'], False), (['b'], True)]
    >>> list(parts(iter([item("a")])))
    Traceback (most recent call last):
    EOFError: the answer broke off
    """
    unpacker = decoder()
    for chunk in chunks:
        unpacker.feed(chunk)
        part, end = _part(unpacker)
        is_last = end == {"end": True}
        if is_last:
            for _ in chunks:
                pass
        yield part, is_last
        if is_last:
            return
        if end is not None:
            raise from_problem(end["error"])
    raise EOFError("the answer broke off")


def _part(unpacker: msgpack.Unpacker) -> tuple[list[Any], dict[str, Any] | None]:
    """Return the items that have come, and the end of the sequence if that has."""
    part = []
    for value in _values(unpacker):
        if isinstance(value, list) and len(value) == 1:
            part.append(value[0])
        elif isinstance(value, dict) and ("error" in value or value == {"end": True}):
            return part, value
        else:
            raise ValueError("the answer is no sequence of items")
    return part, None


def _values(unpacker: msgpack.Unpacker) -> Iterator[Any]:
    try:
        yield from unpacker
    except (msgpack.UnpackException, SyntaxError, TypeError, KeyError) as error:
        raise ValueError(f"the answer is not encoded as it should be: {error}") from error
