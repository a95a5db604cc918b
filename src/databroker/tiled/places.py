"""Places in an order of runs as integers, which is what Tiled's addresses have for cursors."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where a page of runs begins: so many runs after a place of an order."""

    skip: int = 0
    after: Any = None


def to_number(place: Place) -> int:
    """Return a place as an integer of many digits.

    Examples
    --------
    >>> from_number(to_number(Place(0, [1.5, "a"])))
    Place(skip=0, after=[1.5, 'a'])
    """
    return int.from_bytes(json.dumps(place).encode())


def from_number(number: int) -> Place:
    """Return the place that `to_number` was given.

    Raises
    ------
    ValueError
        It is none.
    """
    data = number.to_bytes((number.bit_length() + 7) // 8)
    skip, after = json.loads(data)
    if type(skip) is not int or skip < 0:
        raise ValueError("not a place")
    return Place(skip, after)
