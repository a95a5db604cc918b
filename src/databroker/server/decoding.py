"""What was sent, made values within bounds: a few bytes can stand for very many of them."""

from __future__ import annotations

import json
from typing import Any

from ..documents.encode import decode
from ..errors import RequestTooLarge

_MOST = 10_000_000
"""Values in a request. A list or dictionary counts as some more, by the memory that it takes."""

_CONTAINER = 10


def decoded(body: bytes | bytearray, is_json: bool) -> Any:
    """Return the values that a request has, as JSON or MessagePack.

    Raises
    ------
    RequestTooLarge
        They are too many, whatever the size of the request.
    ValueError, RecursionError
        These are no such values.

    Examples
    --------
    >>> decoded(b'{"uid": "b2c1"}', True)
    {'uid': 'b2c1'}
    """
    if len(body) * _CONTAINER <= _MOST:  # as almost all are
        return json.loads(body) if is_json else decode(body, text_keys=True)
    if is_json:
        _check(_CONTAINER * sum(map(body.count, (b"[", b"{"))) + sum(map(body.count, (b",", b":"))))
        return json.loads(body)
    number = 0

    def count(container: Any) -> Any:
        nonlocal number
        number += _CONTAINER + len(container)
        _check(number)
        return container

    return decode(body, container=count, longest=_MOST, text_keys=True)


def _check(number: int) -> None:
    if number > _MOST:
        raise RequestTooLarge(
            f"A request has {_MOST:,} values at most, where lists and dictionaries count as "
            f"{_CONTAINER}: send less at once, and numbers as arrays."
        )
