"""Questions as JSON and back, for a store that asks another machine.

A node is a dictionary with the name of its kind and what it is made of; what JSON has no
word for is a dictionary whose one key begins with ``$``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args

from ..errors import InvalidQuery
from . import nodes as n
from .elements import check_paths
from .operands import plain
from .paths import FACTS
from .patterns import FLAGS, compile_pattern
from .values import KINDS, is_number

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
_INT64 = 2**63


def to_json(node: n.Node) -> dict[str, Json]:
    """Return a question as what JSON can hold.

    Examples
    --------
    >>> to_json(n.Equals(n.Path("sample.name"), "Ni"))
    {'node': 'equals', 'path': ['start', 'sample.name'], 'value': 'Ni'}
    """
    json: dict[str, Json] = {"node": _NAMES[type(node)]}
    for name in _part_names(type(node)):
        part = getattr(node, name)
        match part:
            case n.Path():
                json[name] = [part.document, part.text]
            case n.Node():
                json["of"] = to_json(part)
            case tuple() if name == "nodes":
                json["of"] = [to_json(each) for each in part]
            case _:
                json[name] = _value_to_json(part)
    return json


def from_json(data: Json) -> n.Node:
    """Return the question that `to_json` made this of; what comes from elsewhere is checked.

    Examples
    --------
    >>> from_json({"node": "not", "of": {"node": "uid_prefix", "prefix": "b2c1"}})
    ~UidPrefix('b2c1')
    >>> from_json({"node": "size", "path": ["start", "shape"], "n": "two"})
    Traceback (most recent call last):
    databroker.errors.InvalidQuery: In a 'size', 'n' must be a whole number, not 'two'.
    """
    return check_paths(_node(data, n.MAX_DEPTH))


def _node(data: Json, levels: int) -> n.Node:
    if levels <= 0:
        raise InvalidQuery(f"the query is nested more than {n.MAX_DEPTH} levels deep")
    if not isinstance(data, dict) or not isinstance(data.get("node"), str):
        raise InvalidQuery(f"a query is a dictionary with the key 'node', not {data!r:.80}")
    name = data["node"]
    kind = _NODES.get(name)
    if kind is None:
        raise InvalidQuery(f"there is no query {name!r:.80}; there are {', '.join(_NODES)}")
    part_names = _part_names(kind)
    expected = {"node", *("of" if part in ("node", "nodes") else part for part in part_names)}
    if data.keys() != expected:
        raise InvalidQuery(f"a {name!r} has {_listed(expected)}, not {_listed(data)}")
    if "nodes" in part_names:
        if not isinstance(data["of"], list):
            raise _unexpected(name, "of", "must be a list of queries", data["of"])
        return kind(*(_node(item, levels - 1) for item in data["of"]))
    parts: dict[str, Any] = {
        part: _node(data["of"], levels - 1) if part == "node" else _part(name, part, data[part])
        for part in part_names
    }
    if kind is n.Matches:
        compile_pattern(parts["pattern"], parts["flags"])
    if kind is n.Compare and isinstance(parts["value"], list | dict):
        raise _unexpected(
            name, "value", "must be a number, text, true, false or null", data["value"]
        )
    if kind is n.Mod and not parts["divisor"]:
        raise _unexpected(name, "divisor", "must not be 0", 0)
    return kind(**parts)


def _part_names(kind: type[n.Node]) -> list[str]:
    # The depth follows from the others.
    return [each.name for each in fields(kind) if each.name != "depth"]  # type: ignore[arg-type]


def _part(name: str, part: str, data: Json) -> Any:
    value, form = _value_from_json(data), _PARTS[part]
    if not form.is_valid(value):
        raise _unexpected(name, part, f"must be {form.words}", value)
    return form.convert(value)


def _unexpected(name: str, part: str, rule: str, value: Any) -> InvalidQuery:
    return InvalidQuery(f"In a {name!r}, {part!r} {rule}, not {value!r:.80}.")


def _listed(names: Any) -> str:
    return ", ".join(sorted(map(repr, names)))


def json_schemas(place: str) -> dict[str, Json]:
    """Return the JSON Schema of questions: ``Query``, and what it refers to.

    Parameters
    ----------
    place
        Where they will be, as references say it: ``#/components/schemas``.

    Examples
    --------
    >>> json_schemas("#/$defs")["Query"]["anyOf"][2]["properties"]
    {'node': {'const': 'not'}, 'of': {'$ref': '#/$defs/Query'}}
    """
    names = ("Query", "ElementQuery", "Path", "ElementPath", "Value", "Scalar")
    refs = ({"$ref": f"{place}/{name}"} for name in names)
    query, element, path, element_path, value, scalar = refs
    about_elements = (n.And, n.Or, n.Not, n.PathNode)
    some = {name: kind for name, kind in _NODES.items() if issubclass(kind, about_elements)}
    values = {"value": value, "values": _listing(value), "scalar": scalar}
    return {
        "Query": _any_node(_NODES, query, element, values | {"path": path}),
        "ElementQuery": _any_node(some, element, element, values | {"path": element_path}),
        "Path": {
            "anyOf": [
                _pairing({"enum": ["start", "stop"]}, _JSON_TEXT),
                _pairing({"const": "run"}, {"enum": list(FACTS)}),
            ]
        },
        "ElementPath": _pairing({"enum": ["element", "value"]}, _JSON_TEXT),
        "Value": {
            "anyOf": [
                scalar,
                _listing(value),
                _object({"$dict": _listing(_pairing(_JSON_TEXT, value))}),
            ]
        },
        "Scalar": {
            "anyOf": [
                {"type": ["null", "boolean", "number", "string"]},
                _object({"$int": {"type": "string", "pattern": "^-?0x[0-9a-f]{1,40}$"}}),
                _object({"$float": {"enum": ["nan", "inf", "-inf"]}}),
            ]
        },
    }


def _any_node(
    kinds: Mapping[str, type[n.Node]], itself: Json, element: Json, others: Mapping[str, Json]
) -> Json:
    """Return the schema of any of these nodes, about runs or about elements of arrays."""

    def part(kind: type[n.Node], name: str) -> tuple[str, Json]:
        if name == "nodes":
            return "of", _listing(itself)
        if name == "node":
            return "of", element if kind is n.ElemMatch else itself
        if kind is n.Compare and name == "value":
            return name, others["scalar"]
        return name, others.get(name) or _PARTS[name].schema

    nodes = [
        {"node": {"const": name}} | dict(part(kind, each) for each in _part_names(kind))
        for name, kind in kinds.items()
    ]
    return {"anyOf": [_object(each) for each in nodes]}


def _object(properties: Mapping[str, Json]) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _listing(item: Json) -> Json:
    return {"type": "array", "items": item}


def _pairing(first: Json, second: Json) -> Json:
    return {"type": "array", "prefixItems": [first, second], "minItems": 2, "maxItems": 2}


_JSON_TEXT: Json = {"type": "string"}
_JSON_WHOLE: Json = {"type": "integer"}


@dataclass(frozen=True, slots=True)
class _Form:
    """What a part of a node must be, and how the value that JSON had for it becomes it."""

    words: str
    is_valid: Callable[[Any], bool]
    convert: Callable[[Any], Any] = lambda value: value
    schema: Json = field(default_factory=dict)


def _is_path(value: Any) -> bool:
    match value:
        case [str() as document, str()]:
            return document in get_args(n.Document)
    return False


def _list_of(is_item: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(is_item, value))


def _one_of(*allowed: str) -> _Form:
    words = f"one of {', '.join(allowed)}"
    return _Form(words, lambda value: value in allowed, schema={"enum": list(allowed)})


_TEXT = _Form("text", lambda value: isinstance(value, str), schema=_JSON_TEXT)
_WHOLE = _Form(
    "a whole number",
    lambda value: isinstance(value, int) and not isinstance(value, bool),
    schema=_JSON_WHOLE,
)
_INSTANT = _Form(
    "seconds or null",
    lambda value: value is None or is_number(value),
    lambda value: None if value is None else float(value),
    {"type": ["number", "null"]},
)
_WORDS = _Form(
    *("a list of words", _list_of(_TEXT.is_valid), tuple),
    _listing(_JSON_TEXT),
)
_PHRASES = _Form(
    "a list of lists of words",
    _list_of(_WORDS.is_valid),
    lambda phrases: tuple(map(tuple, phrases)),
    _listing(_WORDS.schema),
)

_PARTS: Mapping[str, _Form] = {
    "path": _Form("a document and a key", _is_path, lambda pair: n.Path(pair[1], pair[0])),
    "value": _Form("a value", lambda value: True),
    "values": _Form("a list", _list_of(lambda value: True), tuple),
    "op": _one_of(*get_args(n.Operator)),
    "expected": _Form(
        "true or false", lambda value: isinstance(value, bool), schema={"type": "boolean"}
    ),
    "pattern": _TEXT,
    "flags": _Form(
        f"of {', '.join(FLAGS)}",
        lambda value: isinstance(value, str) and {*value} <= {*FLAGS},
        schema=_JSON_TEXT | {"pattern": f"^[{''.join(FLAGS)}]*$"},
    ),
    "n": _WHOLE,
    "type": _one_of(*KINDS, "number"),
    "divisor": replace(_WHOLE, schema=_JSON_WHOLE | {"not": {"const": 0}}),
    "remainder": _WHOLE,
    "since": _INSTANT,
    "until": _INSTANT,
    "words": _WORDS,
    "phrases": _PHRASES,
    "excluded": _PHRASES,
    "name": _TEXT,
    "prefix": _TEXT,
}


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
    kept = plain(value)  # what documents keep in another form
    if type(kept) is type(value):
        raise InvalidQuery(f"a query cannot hold {value!r:.80}, as no document does")
    return _value_to_json(kept)


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
