"""Questions as JSON and back, for a store that asks another machine.

A node is a dictionary with the name of its kind and what it is made of; what JSON has no
word for is a dictionary whose one key begins with ``$``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from ..errors import InvalidQuery
from . import nodes as n
from .patterns import FLAGS, compile_pattern
from .values import KINDS

__all__ = ["from_json", "to_json"]

Json = Any

_NODES: Mapping[str, type[n.Node]] = {
    "all_of": n.And,
    "any_of": n.Or,
    "not": n.Not,
    "everything": n.Everything,
    "equals": n.Equals,
    "in": n.In,
    "compare": n.Compare,
    "exists": n.Exists,
    "matches": n.Matches,
    "contains_all": n.ContainsAll,
    "size": n.Size,
    "elem_match": n.ElemMatch,
    "has_type": n.HasType,
    "mod": n.Mod,
    "time_bounds": n.TimeBounds,
    "full_text": n.FullText,
    "data_key": n.DataKey,
    "uid_prefix": n.UidPrefix,
}
_NAMES = {node: name for name, node in _NODES.items()}
_DOCUMENTS = ("start", "stop", "run", "element", "value")
_INT64 = 2**63


def to_json(node: n.Node) -> dict[str, Json]:
    """Return a question as what JSON can hold.

    Examples
    --------
    >>> to_json(n.Equals(n.Path("sample.name"), "Ni"))
    {'node': 'equals', 'path': ['start', 'sample.name'], 'value': 'Ni'}
    >>> to_json(~n.Compare(n.Path("t"), "lt", float("inf")))["of"]["value"]
    {'$float': 'inf'}
    """
    found: dict[str, Json] = {"node": _NAMES[type(node)]}
    for name in _parts(type(node)):
        part = getattr(node, name)
        match part:
            case n.Path():
                found[name] = [part.document, part.text]
            case n.Node():
                found["of"] = to_json(part)
            case tuple() if name == "nodes":
                found["of"] = [to_json(each) for each in part]
            case _:
                found[name] = _value_to_json(part)
    return found


def from_json(data: Json) -> n.Node:
    """Return the question that `to_json` made this of.

    What comes from elsewhere is believed in nothing: each part is checked.

    Examples
    --------
    >>> from_json({"node": "not", "of": {"node": "uid_prefix", "prefix": "b2c1"}})
    ~UidPrefix('b2c1')
    >>> from_json({"node": "size", "path": ["start", "shape"], "n": "two"})
    Traceback (most recent call last):
    databroker.errors.InvalidQuery: In a 'size', 'n' must be a whole number, not 'two'.
    """
    return _node(data, n.MAX_DEPTH)


def _node(data: Json, levels: int) -> n.Node:
    if levels <= 0:
        raise InvalidQuery(f"the query is nested more than {n.MAX_DEPTH} levels deep")
    if not isinstance(data, dict) or not isinstance(data.get("node"), str):
        raise InvalidQuery(f"a query is a dictionary with the key 'node', not {data!r:.80}")
    name = data["node"]
    kind = _NODES.get(name)
    if kind is None:
        raise InvalidQuery(f"there is no query {name!r:.80}; there are {', '.join(_NODES)}")
    parts = _parts(kind)
    expected = {"node", *("of" if part in ("node", "nodes") else part for part in parts)}
    if data.keys() != expected:
        raise InvalidQuery(f"a {name!r} has {_listed(expected)}, not {_listed(data)}")
    given: dict[str, Any] = {}
    for part in parts:
        if part == "nodes":
            items = _checked(name, "of", data["of"], list, "a list of queries")
            return kind(*(_node(item, levels - 1) for item in items))
        if part == "node":
            given[part] = _node(data["of"], levels - 1)
        else:
            given[part] = _PARTS[part](name, part, data[part])
    if kind is n.Matches:
        compile_pattern(given["pattern"], given["flags"])
    return kind(**given)


def _path(name: str, part: str, data: Json) -> n.Path:
    match data:
        case [str() as document, str() as text] if document in _DOCUMENTS:
            return n.Path(text, document)  # type: ignore[arg-type]
    raise InvalidQuery(f"In a {name!r}, {part!r} must be a document and a key, not {data!r:.80}.")


def _checked(name: str, part: str, data: Json, kind: Any, words: str) -> Any:
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise InvalidQuery(f"In a {name!r}, {part!r} must be {words}, not {data!r:.80}.")
    return data


def _of(kind: Any, words: str) -> Callable[[str, str, Json], Any]:
    return lambda name, part, data: _checked(name, part, data, kind, words)


def _whole(name: str, part: str, data: Json) -> int:
    number: int = _checked(name, part, _value_from_json(data), int, "a whole number")
    return number


def _divisor(name: str, part: str, data: Json) -> int:
    number = _whole(name, part, data)
    if not number:
        raise InvalidQuery(f"In a {name!r}, {part!r} must not be 0.")
    return number


def _instant(name: str, part: str, data: Json) -> float | None:
    if data is None:
        return None
    number = _checked(name, part, _value_from_json(data), int | float, "seconds or null")
    return float(number)


def _one_of(allowed: tuple[str, ...]) -> Callable[[str, str, Json], str]:
    def check(name: str, part: str, data: Json) -> str:
        if data not in allowed:
            raise InvalidQuery(
                f"In a {name!r}, {part!r} must be one of {', '.join(allowed)}, not {data!r:.80}."
            )
        return str(data)

    return check


def _flags(name: str, part: str, data: Json) -> str:
    text: str = _checked(name, part, data, str, "text")
    if not set(text) <= set(FLAGS):
        raise InvalidQuery(f"In a {name!r}, {part!r} must be of {', '.join(FLAGS)}, not {text!r}.")
    return text


def _values(name: str, part: str, data: Json) -> tuple[Any, ...]:
    return tuple(map(_value_from_json, _checked(name, part, data, list, "a list")))


def _words(name: str, part: str, data: Json) -> tuple[str, ...]:
    items = _checked(name, part, data, list, "a list of words")
    return tuple(_checked(name, part, item, str, "a list of words") for item in items)


def _phrases(name: str, part: str, data: Json) -> tuple[tuple[str, ...], ...]:
    return tuple(_words(name, part, item) for item in _checked(name, part, data, list, "a list"))


_TEXT = _of(str, "text")

_PARTS: Mapping[str, Callable[[str, str, Json], Any]] = {
    "path": _path,
    "value": lambda name, part, data: _value_from_json(data),
    "values": _values,
    "op": _one_of(("gt", "gte", "lt", "lte")),
    "expected": _of(bool, "true or false"),
    "pattern": _TEXT,
    "flags": _flags,
    "n": _whole,
    "type": _one_of(KINDS),
    "divisor": _divisor,
    "remainder": _whole,
    "since": _instant,
    "until": _instant,
    "words": _words,
    "phrases": _phrases,
    "excluded": _phrases,
    "name": _TEXT,
    "prefix": _TEXT,
}


def _parts(kind: type[n.Node]) -> list[str]:
    # `depth` follows from the others.
    return [each.name for each in fields(kind) if each.name != "depth"]  # type: ignore[arg-type]


def _value_to_json(value: Any) -> Json:
    match value:
        case None | bool() | str():
            return value
        case int():
            # Beyond 64 bits, not every reader of JSON keeps all digits.
            return value if -_INT64 <= value < _INT64 else {"$int": hex(value)}
        case float():
            return value if value - value == 0 else {"$float": str(value)}
        case list() | tuple():
            return [_value_to_json(each) for each in value]
        case dict():
            return {"$dict": [[key, _value_to_json(each)] for key, each in value.items()]}
    raise InvalidQuery(f"a query cannot hold {value!r:.80}, as no document does")


def _value_from_json(data: Json, levels: int = n.MAX_DEPTH) -> Any:
    if levels <= 0:
        raise InvalidQuery(f"a value is nested more than {n.MAX_DEPTH} levels deep")
    match data:
        case None | bool() | str() | int() | float():
            return data
        case list():
            return [_value_from_json(each, levels - 1) for each in data]
        case {"$int": str() as digits, **rest} if not rest:
            try:
                return int(digits, 16)
            except ValueError:
                pass
        case {"$float": "nan" | "inf" | "-inf" as word, **rest} if not rest:
            return float(word)
        case {"$dict": list() as pairs, **rest} if not rest:
            return dict(_pair(pair, levels - 1) for pair in pairs)
    raise InvalidQuery(f"this stands for no value in a query: {data!r:.80}")


def _pair(data: Json, levels: int) -> tuple[str, Any]:
    match data:
        case [str() as key, value]:
            return key, _value_from_json(value, levels)
    raise InvalidQuery(f"a dictionary is pairs of a text and a value, not {data!r:.80}")


def _listed(names: Any) -> str:
    return ", ".join(sorted(map(repr, names)))
