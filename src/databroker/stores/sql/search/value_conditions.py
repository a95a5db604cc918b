"""Questions about the value at a path, as conditions on the index."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ....errors import QueryTimeout
from ....query.evaluate import RunView, compile
from ....query.nodes import MAX_DEPTH, Compare, HasType, In, Matches, Node, Path
from ....query.patterns import literal_beginning
from ....query.values import is_number, thaw
from ..engine.conditions import NOTHING, either, unless
from .compiled import UNKNOWN, Compiled, all_of, any_of
from .index import bound
from .index_terms import (
    ARRAY,
    EXACT_INTEGERS,
    FALSE_TRUE,
    LONG_TEXT,
    MAX_TEXT,
    NAN,
    NULL,
    NUMBER,
    OBJECT,
    TEXT,
    UNINDEXED,
    leaf,
    nearest_float,
)
from .path_index import ANYTHING, DOCUMENTS, PathIndex

_KINDS = {
    "null": (NULL,),
    "bool": (FALSE_TRUE,),
    "int": (NUMBER,),
    "double": (NUMBER, NAN),
    "number": (NUMBER, NAN),
    "string": (TEXT, LONG_TEXT),
    "object": (OBJECT,),
    "array": (ARRAY,),
}


def equal(places: PathIndex, path: Path, value: Any) -> Compiled:
    """Compile the question whether something at a path equals a value."""
    value = thaw(value)
    if value is None:
        return _missing(places, path)
    if isinstance(value, list | tuple):
        return _array(places, path, value).at_least()
    if isinstance(value, Mapping):
        return _object(places, path, value).at_least()
    kind, indexed = leaf(value)
    if kind == UNINDEXED:
        return UNKNOWN
    found = places.find_values(path, kind, [indexed]).compiled
    return found if _is_sure(kind, indexed) else found.at_least()


def one_of(places: PathIndex, path: Path, wanted: Sequence[Any]) -> Compiled:
    """Compile the question whether something at a path equals one of many values."""
    found: list[Compiled] = []
    scalars: dict[int, list[Any]] = {}
    for value in wanted:
        kind, indexed = leaf(value)
        if kind in (TEXT, FALSE_TRUE) or (kind == NUMBER and _is_sure(kind, indexed)):
            scalars.setdefault(kind, []).append(indexed)
        else:
            found.append(equal(places, path, value))
    for kind, values in scalars.items():
        found.append(places.find_values(path, kind, list(dict.fromkeys(values))).compiled)
    return any_of(found)


def compared(places: PathIndex, node: Compare) -> Compiled:
    """Compile a comparison with a value."""
    value, path = node.value, node.path
    if value is None or value != value:
        has_equal = node.op in ("gte", "lte")
        return equal(places, path, value) if has_equal else Compiled(NOTHING)
    if isinstance(value, str):
        return _compared_text(places, node)
    if isinstance(value, bool):
        return places.find(path, ((FALSE_TRUE,), node.op, (int(value),))).compiled
    if not is_number(value):
        return UNKNOWN
    sure = abs(value) < EXACT_INTEGERS
    # Integers that are not indexed exactly may be among the equal ones.
    op = node.op if sure else f"{node.op[:2]}e"
    limit = value if sure or isinstance(value, float) else nearest_float(value)
    found = places.find(path, ((NUMBER,), op, (limit,))).compiled
    return found if sure else found.at_least()


def _compared_text(places: PathIndex, node: Compare) -> Compiled:
    if len(node.value) > MAX_TEXT:
        return places.find(node.path, ((TEXT, LONG_TEXT), "any", ())).compiled.at_least()
    limit = (bound(TEXT, node.value),)
    # Long text is greater than each beginning of it, which is what the index holds.
    op = "gte" if node.op.startswith("g") else "lt"
    return places.find(node.path, ((TEXT,), node.op, limit), ((LONG_TEXT,), op, limit)).compiled


def of_type(places: PathIndex, node: HasType) -> Compiled:
    """Compile the question whether something at a path is of a type."""
    kinds = _KINDS[node.type]
    if kinds in ((OBJECT,), (ARRAY,), (NULL,)):
        return places.find_values(node.path, kinds[0], [0]).compiled
    found = places.find(node.path, (kinds, "any", ())).compiled
    return found.at_least() if node.type in ("int", "double") else found


def moved(node: Any, array: Path) -> Node | None:
    """Return a question about elements as a weaker one about their array; None if there is none.

    Where nothing is at a path of an element, something may be at that of the array.
    """
    value = getattr(node, "value", node.values if isinstance(node, In) else 0)
    if value is None or (isinstance(value, tuple) and None in value):
        return None
    if not getattr(node, "expected", True):
        return None
    inner: Path = node.path
    text = array.text if inner.document == "value" else f"{array.text}.{inner.text}"
    if text.count(".") >= MAX_DEPTH:
        return None
    about_array: Node = replace(node, path=Path(text, array.document))
    return about_array


def _missing(places: PathIndex, path: Path) -> Compiled:
    if path.document not in DOCUMENTS:
        return UNKNOWN
    there = places.find(path, ANYTHING)
    if not there.sure:
        return UNKNOWN
    null = places.find_values(path, NULL, [0])
    # Where these are, the path may lead to several places, of which some are missing.
    odd = [*there.marks, *places.arrays(path)]
    return Compiled(either([unless(either(there.lookups)), *null.lookups, *odd]), not odd)


def _array(places: PathIndex, path: Path, wanted: Sequence[Any]) -> Compiled:
    array = places.find_values(path, ARRAY, [0]).compiled
    scalars = [value for value in wanted if isinstance(value, bool | int | float | str)]
    return all_of([array, *(equal(places, path, value) for value in scalars[:8])])


def _object(places: PathIndex, path: Path, wanted: Mapping[str, Any]) -> Compiled:
    found = [places.find_values(path, OBJECT, [0]).compiled]
    for key, value in list(wanted.items())[:8]:
        text = f"{path.text}.{key}"
        if isinstance(value, bool | int | float | str) and text.count(".") < MAX_DEPTH:
            found.append(equal(places, Path(text, path.document), value))
    return all_of(found)


def _is_sure(kind: int, indexed: Any) -> bool:
    """Tell whether the index holds just this value for it."""
    if kind == NUMBER:
        return bool(abs(indexed) < EXACT_INTEGERS) and not math.isinf(indexed)
    return kind != LONG_TEXT


def matching(places: PathIndex, node: Matches) -> Compiled:
    """Compile the question whether a pattern is found in a text.

    A key such as the plan's name has few different texts: the pattern is tried
    on each, and the runs that have one that fits are looked up.
    """
    path = node.path
    if path.document not in DOCUMENTS:
        return UNKNOWN
    long = places.find(path, ((LONG_TEXT,), "any", ()))
    few = _fitting(places, node) if long.sure else None
    if few is None:
        return _beginning(places, node)
    fitting = places.find_values(path, TEXT, few)
    others = [*long.lookups, *long.marks]
    return Compiled(either([*fitting.lookups, *others]), not others)


def _fitting(places: PathIndex, node: Matches) -> list[str] | None:
    """Return the texts at a path that a pattern is found in, if there are few texts."""
    texts = places.texts(node.path)
    if texts is None:
        return None
    fits = compile(Matches(Path("text"), node.pattern, node.flags))
    try:
        return [text for text in texts if fits(RunView({"text": text}))]
    except QueryTimeout:
        return None  # the evaluator will say so, if it comes to such a run


def _beginning(places: PathIndex, node: Matches) -> Compiled:
    """Look up the texts, of those only that begin as the pattern says that they must."""
    prefix = literal_beginning(node.pattern, node.flags)
    # No byte of UTF-8 is 255.
    limits = (bound(TEXT, prefix), bound(TEXT, prefix) + b"\xff")
    wanted = ("within", limits) if prefix else ("any", ())
    return places.find(node.path, ((TEXT, LONG_TEXT), *wanted)).compiled.at_least()
