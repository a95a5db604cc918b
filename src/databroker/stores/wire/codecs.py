"""Codecs: how each kind of argument and answer is packed into plain data, and unpacked again.

What comes from elsewhere is checked when it is unpacked; anything else than expected raises a
ValueError or a TypeError. Documents are not checked here: the store that keeps them does that.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...columns.selection import Selection
from ...query.nodes import Path
from ...query.wire import from_json, to_json
from ..activity import Activity
from ..base import RunRecord
from ..contents import Outline
from ..rows import Extent

Plain = Any
"""What MessagePack holds in the exact encoding of documents (`documents/encode.py`)."""


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Codec:
    """How a kind of value is packed to travel, and unpacked.

    Attributes
    ----------
    description
        What it is, for people.
    schema
        The JSON Schema of its plain codec.
    pack, unpack
        Make the plain form of a value, and a value of the plain codec.
    compressed
        The same with rows compressed, where there are some.
    """

    description: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    pack: Callable[[Any], Plain] = _same
    unpack: Callable[[Plain], Any] = _same
    compressed: Codec | None = None


def checked(
    description: str, schema: Mapping[str, Any], kind: type | tuple[type, ...], *allowed: Any
) -> Codec:
    """Return the codec of values of a type, perhaps only of some of these.

    Examples
    --------
    >>> checked("text", {"type": "string"}, str).unpack(5)
    Traceback (most recent call last):
    ValueError: it must be text, not 5
    """

    def unpack(value: Plain) -> Any:
        odd = isinstance(value, bool) and kind is not bool
        if odd or not isinstance(value, kind) or (allowed and value not in allowed):
            raise ValueError(f"it must be {description}, not {value!r:.80}")
        return value

    return Codec(description, schema, _same, unpack)


def optional(codec: Codec) -> Codec:
    """Return the codec of what may be None."""
    return Codec(
        f"{codec.description}, or nothing",
        {"anyOf": [codec.schema, {"type": "null"}]},
        lambda value: None if value is None else codec.pack(value),
        lambda value: None if value is None else codec.unpack(value),
    )


def list_of(codec: Codec) -> Codec:
    """Return the codec of several."""
    whole = checked("a list", {}, list)
    return Codec(
        f"a list, each {codec.description}",
        {"type": "array", "items": codec.schema},
        lambda values: [codec.pack(value) for value in values],
        lambda values: [codec.unpack(value) for value in whole.unpack(values)],
    )


def array_of(*items: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of an array of just these items."""
    number = len(items)
    return {"type": "array", "prefixItems": list(items), "minItems": number, "maxItems": number}


def _counted(value: Plain) -> int:
    """Return with what some are counted: no store has more. To JSON, 2.0 is a whole number."""
    is_whole = isinstance(value, float) and value.is_integer()
    number: int = WHOLE.unpack(int(value) if is_whole else value)
    if not 0 <= number <= _MOST:
        raise ValueError(f"it must be {COUNT.description}, not {value!r:.80}")
    return number


_TEXT: Mapping[str, Any] = {"type": "string"}
_OBJECT: Mapping[str, Any] = {"type": "object"}
_WHOLE: Mapping[str, Any] = {"type": "integer"}
_MOST = 2**53
_COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0, "maximum": _MOST}
SCHEMAS = "#/components/schemas"
"""Where the description of the interface has what several codecs refer to."""

ANYTHING = Codec("any value")
DOCUMENT = checked("a document", _OBJECT, dict)
TEXT = checked("text", _TEXT, str)
WHOLE = checked("a whole number", _WHOLE, int)
FLAG = checked("true or false", {"type": "boolean"}, bool)
COUNT = Codec("a whole number from 0 to 2**53", _COUNT, _same, _counted)
SEALED = checked("what the server has given, as it was", _TEXT, str)
KIND = checked(
    "a kind of document that belongs to a run",
    {"enum": ["descriptor", "resource", "stream_resource"]},
    str,
    *("descriptor", "resource", "stream_resource"),
)
ROW_KIND = checked(
    "'event', 'datum' or 'stream_datum'",
    {"enum": ["event", "datum", "stream_datum"]},
    str,
    *("event", "datum", "stream_datum"),
)
QUERY = Codec("a query", {"$ref": f"{SCHEMAS}/Query"}, to_json, from_json)
PATH = Codec(
    "a document and a key in it",
    {"$ref": f"{SCHEMAS}/Path"},
    lambda path: [path.document, path.text],
    lambda pair: _path(*pair),
)
SELECTION = Codec(
    "a choice of columns",
    {"$ref": f"{SCHEMAS}/Selection"},
    Selection.to_json,
    lambda json: _selection(**DOCUMENT.unpack(json)),
)
EXTENT = Codec(
    "where rows are",
    array_of(_WHOLE, _WHOLE, _WHOLE, _TEXT),
    lambda extent: [extent.rows, extent.min_seq, extent.max_seq, extent.token],
    lambda parts: _extent(*parts),
)
RANGE = Codec(
    "the first row and the one after the last",
    array_of(_COUNT, _COUNT),
    list,
    lambda pair: _range(*pair),
)
PAIR = Codec(
    "a kind and a document",
    array_of(_TEXT, _OBJECT),
    list,
    lambda pair: _pair(*pair),
)
RECORD = Codec(
    "a run: uid, start, stop, cursor",
    array_of(_TEXT, _OBJECT, {"type": ["object", "null"]}, _TEXT),
    lambda run: [run.uid, run.start, run.stop, run.cursor],
    lambda parts: RunRecord(*parts),
)
ACTIVITY = Codec(
    "when a run was last written, and by whom: time, host, pid, boot_id",
    array_of({"type": "number"}, {}, {}, {}),
    lambda activity: [activity.last_time, activity.host, activity.pid, activity.boot_id],
    lambda parts: Activity(*parts),
)
OUTLINE = Codec(
    "what a run consists of: start, stop, and each kind, owner and number of rows",
    array_of(_OBJECT, {}, {"type": "array"}),
    lambda run: [run.start, run.stop, [[*owner, rows] for owner, rows in run.rows.items()]],
    lambda parts: _outline(*parts),
)
OUTLINES = Codec(
    "what runs consist of, by their uids",
    {"type": "object", "additionalProperties": OUTLINE.schema},
    lambda found: {uid: OUTLINE.pack(run) for uid, run in found.items()},
    lambda found: {uid: OUTLINE.unpack(run) for uid, run in found.items()},
)
VALUES = Codec(
    "values, one for each path",
    {"type": "array"},
    lambda row: [_pack_value(value) for value in row],
    lambda row: tuple(_value(value) for value in row),
)
STATE = Codec("a state", {"type": "array"}, list, tuple)
COUNTED = list_of(Codec("a value, and how many runs have it", array_of({}, _WHOLE), list, tuple))
MARKED = optional(Codec("uids, and a new mark", array_of({"type": "array"}, {}), list, tuple))
SLICES = list_of(
    Codec(
        "a slice: start, stop, step",
        array_of(*[{"type": ["integer", "null"]}] * 3),
        lambda part: [part.start, part.stop, part.step],
        lambda parts: _slice(*parts),
    )
)


_NAMES = optional(list_of(TEXT))
SELECTION_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"data": _NAMES.schema, "timestamps": _NAMES.schema, "others": FLAG.schema},
    "required": ["data", "timestamps", "others"],
    "additionalProperties": False,
}


def _pack_value(value: Any) -> Plain:
    """Return a value as it travels: what arrays hold that no list of a document has, as arrays."""
    if isinstance(value, list | tuple):
        return [_pack_value(each) for each in value]
    if isinstance(value, complex):
        return np.array(value)
    if isinstance(value, datetime.date):
        return np.array(np.datetime64(value))
    return np.array(np.timedelta64(value)) if isinstance(value, datetime.timedelta) else value


def _value(plain: Plain) -> Any:
    if isinstance(plain, list):
        return [_value(each) for each in plain]
    return plain.item() if isinstance(plain, np.ndarray) and not plain.ndim else plain


def _path(document: Plain, text: Plain) -> Path:
    if document not in ("start", "stop", "run"):
        raise ValueError(f"a path begins in 'start', 'stop' or 'run', not {document!r:.80}")
    return Path(text, document)


def _selection(data: Plain, timestamps: Plain, others: Plain) -> Selection:
    for names in (data, timestamps):
        _NAMES.unpack(names)
    others = FLAG.unpack(others)
    return Selection.from_json({"data": data, "timestamps": timestamps, "others": others})


def _extent(rows: Plain, min_seq: Plain, max_seq: Plain, token: Plain) -> Extent:
    return Extent(WHOLE.unpack(rows), WHOLE.unpack(min_seq), WHOLE.unpack(max_seq), token)


def _range(first: Plain, stop: Plain) -> tuple[int, int]:
    return COUNT.unpack(first), COUNT.unpack(stop)


def _pair(kind: Plain, doc: Plain) -> tuple[str, dict[str, Any]]:
    return TEXT.unpack(kind), DOCUMENT.unpack(doc)


def _slice(start: Plain, stop: Plain, step: Plain) -> slice:
    return slice(*map(optional(WHOLE).unpack, (start, stop, step)))


def _outline(start: Plain, stop: Plain, rows: Sequence[Plain]) -> Outline:
    return Outline(start, stop, {(kind, owner): number for kind, owner, number in rows})
