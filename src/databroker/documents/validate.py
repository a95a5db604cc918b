"""Whether a document can be placed: the keys that databroker relies on.

This is less than the event model's schemas ask, on purpose. Old and odd data
is kept; what is refused could not be found or read again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._util.printable import shown, type_name
from .._util.suggestions import did_you_mean
from ..errors import InvalidDocument, UnknownDocumentKind
from .kinds import ACCEPTED
from .typed_list import typed

Check = Callable[[str, dict[str, Any]], None]


def check(kind: str, doc: dict[str, Any]) -> None:
    """Raise unless a normalised document has what its kind needs.

    The error says the document, the key, what was found and what is needed.

    Examples
    --------
    >>> check("start", {"uid": "a", "time": 1.5})
    >>> check("start", {"uid": "a"})
    Traceback (most recent call last):
    databroker.errors.InvalidDocument: start document 'a' has no 'time'; ...
    """
    check_kind(kind)
    for one in _CHECKS[kind]:
        one(kind, doc)


def check_kind(kind: object) -> None:
    """Raise unless this is a name of the event model."""
    if not isinstance(kind, str) or kind not in _CHECKS:
        raise UnknownDocumentKind(_unknown(kind))


def _unknown(kind: object) -> str:
    known = ", ".join(ACCEPTED)
    hint = did_you_mean(kind, ACCEPTED)
    return f"{shown(kind)} is not a kind of document; known are: {known}.{hint}"


def _fail(kind: str, doc: dict[str, Any], key: str, need: str) -> None:
    name = doc.get("uid", doc.get("datum_id"))
    who = f"{kind} document" + (f" {name!r}" if isinstance(name, str) else "")
    if key not in doc:
        raise InvalidDocument(f"{who} has no {key!r}; it must be {need}.")
    found = doc[key]
    raise InvalidDocument(
        f"{who} has {key!r} = {shown(found)} ({type_name(found)}); it must be {need}."
    )


def _text(*keys: str) -> Check:
    def check_text(kind: str, doc: dict[str, Any]) -> None:
        for key in keys:
            if type(doc.get(key)) is not str or not doc[key]:
                _fail(kind, doc, key, "text that is not empty")

    return check_text


def _number(key: str) -> Check:
    def check_number(kind: str, doc: dict[str, Any]) -> None:
        value = doc.get(key)
        if type(value) is float:
            if math.isfinite(value):
                return
        elif type(value) is int and abs(value) < 1e300:
            return
        _fail(kind, doc, key, "a finite number of seconds since 1970")

    return check_number


def _integer(key: str) -> Check:
    def check_integer(kind: str, doc: dict[str, Any]) -> None:
        value = doc.get(key)
        if type(value) is not int or abs(value) >= 2**63:
            _fail(kind, doc, key, "an integer below 2**63")

    return check_integer


def _dictionaries(*keys: str) -> Check:
    def check_dictionaries(kind: str, doc: dict[str, Any]) -> None:
        for key in keys:
            if type(doc.get(key)) is not dict:
                _fail(kind, doc, key, "a dictionary")

    return check_dictionaries


def _data_keys(kind: str, doc: dict[str, Any]) -> None:
    for name, data_key in doc["data_keys"].items():
        if type(data_key) is not dict:
            raise InvalidDocument(
                f"descriptor document {doc['uid']!r}: the data key {name!r} is described by "
                f"{shown(data_key)}; it must be a dictionary."
            )


def _columns(*keys: str) -> Check:
    """Check that the lists of a page are lists, and of one length."""

    def check_columns(kind: str, doc: dict[str, Any]) -> None:
        rows = None
        for key in keys:
            value: Any = doc.get(key)
            columns: dict[str, Any] = value if isinstance(value, dict) else {key: value}
            for name, column in columns.items():
                if not isinstance(column, list):
                    _fail(kind, doc, key, "a list (or a dictionary of lists), one item a row")
                if rows is None:
                    rows = len(column)
                elif len(column) != rows:
                    raise InvalidDocument(
                        f"{kind} document: {key!r} has {len(column)} values for {name!r} where "
                        f"{keys[0]!r} has {rows}; a page needs one value a row in each column."
                    )

    return check_columns


def _all(key: str, fits: Callable[[list[Any]], bool], need: str) -> Check:
    """Check each value of a list."""

    def check_all(kind: str, doc: dict[str, Any]) -> None:
        if not isinstance(doc.get(key), list) or not fits(doc[key]):
            _fail(kind, doc, key, f"a list of {need}")

    return check_all


def _are_texts(values: list[Any]) -> bool:
    return typed(values).types <= {str} and all(values)


def _are_times(values: list[Any]) -> bool:
    times = typed(values)
    if not times.types <= {float, int}:
        return False
    if times.numbers is not None:
        return bool(np.isfinite(times.numbers).all())
    return all(
        math.isfinite(value) if type(value) is float else abs(value) < 1e300 for value in values
    )


def _are_integers(values: list[Any]) -> bool:
    integers = typed(values)
    return not integers or (integers.types == {int} and integers.numbers is not None)


def _are_dictionaries(values: list[Any]) -> bool:
    return typed(values).types <= {dict}


def _bulk_events(kind: str, doc: dict[str, Any]) -> None:
    for stream, events in doc.items():
        if type(events) is not list or not _are_dictionaries(events):
            _fail(kind, doc, stream, "a list of events")


_CHECKS: dict[str, tuple[Check, ...]] = {
    "start": (_text("uid"), _number("time")),
    "stop": (_text("uid", "run_start"), _number("time")),
    "descriptor": (_text("uid", "run_start"), _dictionaries("data_keys"), _data_keys),
    "event": (
        _text("uid", "descriptor"),
        _number("time"),
        _integer("seq_num"),
        _dictionaries("data", "timestamps"),
    ),
    "event_page": (
        _text("descriptor"),
        _dictionaries("data", "timestamps"),
        _columns("uid", "time", "seq_num", "data", "timestamps"),
        _all("uid", _are_texts, "texts that are not empty"),
        _all("time", _are_times, "finite numbers of seconds since 1970"),
        _all("seq_num", _are_integers, "integers below 2**63"),
    ),
    "resource": (_text("uid"),),
    "datum": (_text("datum_id", "resource"), _dictionaries("datum_kwargs")),
    "datum_page": (
        _text("resource"),
        _dictionaries("datum_kwargs"),
        _columns("datum_id", "datum_kwargs"),
        _all("datum_id", _are_texts, "texts that are not empty"),
    ),
    "stream_resource": (_text("uid"),),
    "stream_datum": (_text("uid", "stream_resource"),),
    "bulk_events": (_bulk_events,),
    "bulk_datum": (
        _text("resource"),
        _columns("datum_ids", "datum_kwarg_list"),
        _all("datum_ids", _are_texts, "texts that are not empty"),
        _all("datum_kwarg_list", _are_dictionaries, "dictionaries"),
    ),
}
