"""Cursors in an order of runs as integers, which is what Tiled's addresses take."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Cursor(NamedTuple):
    """Where a page of runs begins: after a cursor of their order, and so many more."""

    skip: int = 0
    after: Any = None


def to_number(cursor: Cursor) -> int:
    """Return a cursor as an integer of many digits.

    Examples
    --------
    >>> from_number(to_number(Cursor(0, [1.5, "a"])))
    Cursor(skip=0, after=[1.5, 'a'])
    """
    return int.from_bytes(json.dumps(cursor).encode())


def from_number(number: int) -> Cursor:
    """Return the cursor that `to_number` was given.

    Raises
    ------
    ValueError
        It is none.
    """
    data = number.to_bytes((number.bit_length() + 7) // 8)
    skip, after = json.loads(data)
    if type(skip) is not int or skip < 0:
        raise ValueError("not a cursor")
    return Cursor(skip, after)
