"""JSON that is no lines: an array of documents, or documents one after the other."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection
from typing import Any, ClassVar

from ..._util.signals import not_from_signal
from .formats import Doc, Fault, Item, Parsed, checked_pair, reason
from .jsonl import restored

_BETWEEN = re.compile(r"[\s,]*")
_BEGIN = re.compile(r"\s*\[")
_LOST = "; what comes after it cannot be read"

_KEYS: tuple[tuple[str, frozenset[str]], ...] = (
    ("event_page", frozenset({"descriptor", "seq_num", "data", "timestamps"})),
    ("event", frozenset({"descriptor", "seq_num", "data", "timestamps"})),
    ("datum_page", frozenset({"datum_id", "resource", "datum_kwargs"})),
    ("datum", frozenset({"datum_id", "resource", "datum_kwargs"})),
    ("stream_datum", frozenset({"stream_resource", "descriptor", "indices"})),
    ("stream_resource", frozenset({"uid", "uri"})),
    ("resource", frozenset({"uid", "spec", "resource_path", "resource_kwargs"})),
    ("descriptor", frozenset({"uid", "run_start", "data_keys"})),
    ("stop", frozenset({"uid", "run_start", "exit_status"})),
)
"""The keys by which a document without its kind is told, the more telling ones first."""

_START = frozenset({"uid", "time"})
_BELONGING = frozenset({"run_start", "descriptor"})

_LISTED = {"event_page": "seq_num", "datum_page": "datum_id"}
"""What is a list in a page, and one value otherwise."""


class JSONValues:
    """What reads documents of JSON: pairs of a kind and a document, or documents alone."""

    place: ClassVar[str] = "document"

    def __init__(self) -> None:
        self._decode = json.JSONDecoder().raw_decode

    def parse(
        self, data: bytes, before: int, without: Collection[str] = (), is_all: bool = True
    ) -> Parsed:
        """Read the documents in a piece of a file, as `Format.parse` does."""
        found = Parsed(last=before)
        try:
            text, _ = codecs.utf_8_decode(data, "strict", is_all)
        except UnicodeDecodeError as error:
            return _broken(found, error)
        # The bracket is consumed with the first document, so that it is met once.
        place, consumed = 0, 0
        if not before and (bracket := _BEGIN.match(text)):
            place = bracket.end()
        while (place := _after(text, place)) < len(text) and text[place] != "]":
            try:
                value, place = self._decode(text, place)
            except not_from_signal(ValueError, RecursionError) as error:
                if is_all and not _is_cut(error, text):
                    _broken(found, error)
                break
            consumed = place
            _take(value, found, without)
        if text[place : place + 1] == "]":
            consumed = place + 1
        found.consumed = len(text[:consumed].encode())
        return found


def kind_of(document: Doc) -> str | None:
    """Return of what kind a document is, if its keys tell.

    Examples
    --------
    >>> kind_of({"uid": "a", "time": 1.0}), kind_of({"uid": "b", "run_start": "a"})
    ('start', None)
    """
    if document.keys() >= _START and not document.keys() & _BELONGING:
        return "start"
    for kind, keys in _KEYS:
        if document.keys() >= keys:
            listed = _LISTED.get(kind)
            if listed is None or isinstance(document[listed], list):
                return kind
    return None


def _after(text: str, place: int) -> int:
    match = _BETWEEN.match(text, place)
    return match.end() if match else place


def _take(value: Any, found: Parsed, without: Collection[str]) -> None:
    found.last += 1
    try:
        kind, document = _pair(restored(value))
    except not_from_signal(Exception) as error:  # damage may look like anything
        found.faults.append(Fault(found.last, reason(error)))
        return
    if kind not in without:
        found.items.append(Item(found.last, kind, document))


def _pair(value: Any) -> tuple[str, Doc]:
    if not isinstance(value, dict):
        return checked_pair(value)
    kind = kind_of(value)
    if kind is None:
        raise ValueError("its keys do not tell of what kind it is")
    return kind, value


def _is_cut(error: Exception, text: str) -> bool:
    return isinstance(error, json.JSONDecodeError) and error.pos >= len(text)


def _broken(found: Parsed, error: Exception) -> Parsed:
    found.faults.append(Fault(found.last + 1, f"{reason(error)}{_LOST}"))
    found.is_broken = True
    return found
