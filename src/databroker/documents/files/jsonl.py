"""JSON lines: each line of a file is a kind and a document.

What JSON has no form for (complex numbers, stamps and records in arrays, integers of hundreds of
digits) is the dictionary ``{"__exact__": "..."}``, whose text is the exact encoding of the value
in base64. Arrays of anything else are lists, as other programs write them.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..._util.lazy import lazy_module
from ..._util.signals import not_from_signal
from ..encode import decode, encode
from ..kinds import ACCEPTED
from .formats import Doc, Fault, Format, Item, Parsed, checked_pair, plain_document, reason

if TYPE_CHECKING:
    import msgspec
    import numpy as np
else:
    np = lazy_module("numpy")
    msgspec = lazy_module("msgspec")

_EXACT = "__exact__"
_EXACT_BYTES = f'"{_EXACT}"'.encode()
_DEEP = 200  # brackets that are no depth to worry about
_LONG = 2**2000  # Python refuses to write, or to read, decimal integers that are much longer


class JSONLines(Format):
    """Lines of JSON, as suitcase-jsonl and databroker 1.x write them."""

    name: ClassVar[str] = "jsonl"
    suffix: ClassVar[str] = ".jsonl"
    place: ClassVar[str] = "line"
    exact: ClassVar[Literal["exact", "json"]] = "json"
    has_lines: ClassVar[bool] = True

    def encode(self, kind: str, document: Doc) -> bytes:
        try:
            text = json.dumps([kind, document], default=_as_json)
        except ValueError:  # an integer that is too long
            text = json.dumps([kind, _tagged(document)], default=_as_json)
        else:
            if _EXACT in text:
                text = json.dumps([kind, _tagged(document)], default=_as_json)
        return text.encode() + b"\n"

    def parse(
        self, data: bytes, before: int, without: Collection[str] = (), is_all: bool = True
    ) -> Parsed:
        end = data.rfind(b"\n") + 1
        lines = data[:end].split(b"\n")[:-1]
        found = Parsed(consumed=end, last=before + len(lines))
        passed_over = _beginnings(frozenset(without))
        for number, line in enumerate(lines, before + 1):
            if line.startswith(passed_over) or not line or line.isspace():
                continue
            try:
                found.items.append(_item(number, line))
            except not_from_signal(Exception) as error:  # damage may look like anything
                found.faults.append(Fault(number, reason(error)))
        if is_all and end < len(data):
            _take_last(data[end:], found)
        return found


@functools.cache
def _beginnings(kinds: frozenset[str]) -> tuple[bytes, ...]:
    """Return how lines of some kinds begin."""
    return tuple(f'["{kind}"'.encode() for kind in kinds)


def _item(number: int, line: bytes) -> Item:
    if _EXACT_BYTES not in line:
        try:
            kind, document = _decode_plain()(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            kind = ""  # the others take longer
        if kind in ACCEPTED:
            return Item(number, kind, document, True)
    is_flat = line.count(b"[") + line.count(b"{") < _DEEP and _EXACT_BYTES not in line
    return Item(number, *checked_pair(loads(line)), is_flat)


@functools.cache
def _decode_plain() -> Callable[[bytes], tuple[str, Doc]]:
    """Return what decodes a line with a plain document, and refuses others."""
    plain: Any = plain_document()
    decode: Callable[[bytes], tuple[str, Doc]] = msgspec.json.Decoder(tuple[str, plain]).decode
    return decode


def _take_last(rest: bytes, found: Parsed) -> None:
    """Take a line that has no end, if it is a document: half of one never is."""
    try:
        item = _item(found.last + 1, rest)
    except not_from_signal(Exception):
        return
    found.items.append(item)
    found.consumed += len(rest)
    found.last += 1


def loads(line: bytes) -> Any:
    """Return the value that a line of JSON is.

    The fast parser refuses some of what Python writes: NaN, lone surrogates.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value = json.loads(line)
    return restored(value) if _EXACT_BYTES in line else value


def _as_json(value: Any) -> Any:
    """Return what stands for a value that JSON does not know."""
    if isinstance(value, np.ndarray):
        kind = value.dtype.kind
        if kind in "biuU" or (kind == "f" and value.dtype.itemsize <= 8):
            return value.tolist()
        return _exactly(value)
    raise TypeError(f"{type(value).__name__} is not a normalised value")


def _exactly(value: Any) -> dict[str, str]:
    return {_EXACT: base64.b64encode(encode(value)).decode()}


def _tagged(value: Any) -> Any:
    """Return a value in which long integers, and what looks like our own marks, are marked."""
    if isinstance(value, dict):
        if _EXACT in value:
            return _exactly(value)
        return {key: _tagged(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(_tagged, value))
    return _exactly(value) if type(value) is int and not -_LONG < value < _LONG else value


def restored(value: Any) -> Any:
    """Return a value with what was marked in it as it was."""
    if isinstance(value, dict):
        marked = value.get(_EXACT)
        if len(value) == 1 and isinstance(marked, str):
            return decode(base64.b64decode(marked, validate=True))
        return {key: restored(inner) for key, inner in value.items()}
    return list(map(restored, value)) if isinstance(value, list) else value
