"""What producers of old and odd data write otherwise, put right where nothing is lost by it.

A flag, or the type of a counter, is no reason to refuse data.
"""

from __future__ import annotations

from typing import Any

from .kinds import PAGES
from .typed_list import TypedList, typed

_SPANS = ("indices", "seq_nums")
_ENDS = ("start", "stop")


def repair(kind: str, doc: dict[str, Any], changes: list[str]) -> None:
    """Put a normalised document right, in place.

    Counters that are floats without a fraction become integers. Flags of a page that are
    not one a row become so: one that is said once holds for all rows, and as many as there
    are no rows for say nothing.

    Examples
    --------
    >>> page = {"uid": ["a", "b"], "seq_num": [1.0, 2.0], "filled": {"img": False}}
    >>> repair("event_page", page, [])
    >>> page
    {'uid': ['a', 'b'], 'seq_num': [1, 2], 'filled': {'img': [False, False]}}
    """
    if kind == "event":
        _count(doc, "seq_num")
    elif kind == "event_page":
        numbers = doc.get("seq_num")
        if isinstance(numbers, list) and float in typed(numbers).types:
            doc["seq_num"] = TypedList(map(_whole, numbers))
        _spread_flags(doc, changes)
    elif kind == "stream_datum":
        for span in _SPANS:
            if isinstance(doc.get(span), dict):
                for end in _ENDS:
                    _count(doc[span], end)
    elif kind == "bulk_events":
        for events in doc.values():
            for event in events if isinstance(events, list) else ():
                if isinstance(event, dict):
                    repair(PAGES[kind], event, changes)


def _count(doc: dict[str, Any], key: str) -> None:
    if type(doc.get(key)) is float:
        doc[key] = _whole(doc[key])


def _whole(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() else value


def _spread_flags(page: dict[str, Any], changes: list[str]) -> None:
    flags, uids = page.get("filled"), page.get("uid")
    if not isinstance(flags, dict) or not isinstance(uids, list):
        return
    for field, said in list(flags.items()):
        if not isinstance(said, list):
            flags[field] = [said] * len(uids)
        elif len(said) != len(uids):
            del flags[field]
            changes.append(f"filled.{field} ({len(said)} flags for {len(uids)} rows) as nothing")
