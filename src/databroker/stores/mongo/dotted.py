"""Keys that have dots in themselves, which a path of MongoDB does not lead to, and ours does.

The event model forbids them, and databroker 1.x stores them. What is asked here is little for a
server: to look through the keys that a document has on the way along a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Expression = dict[str, Any]


def has_dotted(path: str) -> Expression | None:
    """Return a filter of the documents with a key that is several parts of a path; None if of one.

    Examples
    --------
    >>> has_dotted("scan_id")
    >>> has_dotted("sample.name") == {"$expr": {"$or": [{"$ne": [[], {"$setIntersection": [
    ...     ["sample.name"], {"$map": {"input": {"$objectToArray": "$$ROOT"}, "in": "$$this.k"}}
    ... ]}]}]}}
    True
    """
    parts = path.split(".")
    fields: Expression = {"$objectToArray": "$$ROOT"}
    found = []
    for at in range(len(parts) - 1):
        fields = _fields_in(fields, parts[at - 1]) if at else fields
        names = [".".join(parts[at:end]) for end in range(at + 2, len(parts) + 1)]
        found.append(_has_any(fields, names))
    return {"$expr": {"$or": found}} if found else None


def _has_any(fields: Expression, names: Sequence[str]) -> Expression:
    keys = {"$map": {"input": fields, "in": "$$this.k"}}
    return {"$ne": [[], {"$setIntersection": [names, keys]}]}


def _fields_in(fields: Expression, key: str) -> Expression:
    """Return the fields of the dictionaries under a key, those in arrays, too."""
    under = {"$filter": {"input": fields, "cond": {"$eq": ["$$this.k", key]}}}
    items = _joined(under, _if({"$isArray": ["$$this.v"]}, "$$this.v", ["$$this.v"]))
    is_dictionary = {"$eq": [{"$type": "$$this"}, "object"]}
    return _joined(items, _if(is_dictionary, {"$objectToArray": "$$this"}, []))


def _joined(inputs: Expression, each: Expression) -> Expression:
    """Return the arrays that an expression makes of each input as one."""
    joined = {"$concatArrays": ["$$value", each]}
    return {"$reduce": {"input": inputs, "initialValue": [], "in": joined}}


def _if(condition: Expression, then: Any, otherwise: Any) -> Expression:
    return {"$cond": [condition, then, otherwise]}
