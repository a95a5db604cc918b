"""Messages of server-sent events, and the ids with which another connection goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from ...display.json_text import as_json
from ...errors import InvalidRequest

BEGINNING = b"retry: 1000\n\n"
"""Sent first: browsers that lose the connection come back after so many milliseconds."""

HEARTBEAT = b":\n\n"
"""A comment: it shows that both ends are there."""

_LONGEST = 4_000
"""Characters of an id: proxies take no longer headers, in which it comes back."""


def message(name: str, data: Any, cursor: Any = None) -> bytes:
    r"""Return a message.

    Parameters
    ----------
    name
        Of the event.
    data
        What is made JSON.
    cursor
        What is made its id; with None it has none.

    Examples
    --------
    >>> message("stop", {"uid": "a"}, [7])
    b'event: stop\nid: [7]\ndata: {"uid": "a"}\n\n'
    """
    return json_message(name, as_json(data), cursor)


def json_message(name: str, text: str, cursor: Any = None) -> bytes:
    """Return a message whose data are JSON already."""
    said = "" if cursor is None else f"id: {_compact(cursor)}\n"
    return f"event: {name}\n{said}data: {text}\n\n".encode()


def place(cursor: Any) -> bytes:
    """Return a message with an id alone."""
    return f"id: {_compact(cursor)}\n\n".encode()


def digest(cursor: Any) -> bytes:
    """Return what tells a cursor from others."""
    return hashlib.blake2b(_compact(cursor).encode(), digest_size=16).digest()


def cursor_of(text: str | None) -> Any:
    """Return the cursor that an id was made of; None for no id.

    Raises
    ------
    InvalidRequest
        It is none.
    """
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{text!r:.80} is the id of no event.") from error


def short_of_runs(
    cursor: Mapping[str, Any], newest: Callable[[], list[str]]
) -> dict[str, Any] | None:
    """Return a cursor of `db.watch()` that is short enough for an id; None if there is none.

    Of very many runs that have not ended, those that began last are in it; of very many that are
    known by their uids, only the newest.

    Examples
    --------
    >>> cursor = {"mark": 1, "known": [], "open": {f"run {n}": True for n in range(1000)}}
    >>> list(short_of_runs(cursor, list)["open"])[-1]
    'run 999'
    >>> short_of_runs({"mark": None, "known": list(cursor["open"]), "open": {}}, lambda: ["run 9"])
    {'mark': None, 'known': ['run 9'], 'open': {}, 'others': True}
    """
    items = list(cursor["open"].items())
    short = _shortened(cursor, "open", items, dict)
    if short is None and cursor["mark"] is None:
        short = _shortened({**cursor, "known": newest()}, "open", items, dict)
    elif short is None or len(short["open"]) == len(items):
        return short
    return None if short is None else {**short, "others": True}


def short_of_run(cursor: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a cursor in a run that is short enough for an id.

    Of very many owners of rows, what is left out would come again: datums, rather than events.
    """
    rows = sorted(cursor["rows"], key=lambda row: row[0] == "event")
    return _shortened(cursor, "rows", rows, list)


def _shortened(
    cursor: Mapping[str, Any], key: str, items: list[Any], kind: type
) -> dict[str, Any] | None:
    """Return a cursor with as many of some items, the last ones, as an id has room for."""
    room = _LONGEST - len(_compact({**cursor, key: kind()}))
    first = len(items)
    while first and (room := room - len(_compact(items[first - 1])) - 1) > 0:
        first -= 1
    return {**cursor, key: kind(items[first:])} if room > 0 or first < len(items) else None


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
