"""Questions about what is known of a run beyond its documents, as conditions on the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....query.nodes import Path
from . import value_conditions
from .conditions import ALL, NOTHING, either
from .index_terms import TEXT
from .path_index import VALUES, PathIndex
from .value_conditions import Compiled

__all__ = ["one_of"]

_EXIT_STATUS = Path("exit_status", "stop")
_MAIN_COUNT = Path("num_events.primary", "stop")


def one_of(places: PathIndex, fact: Path, wanted: Sequence[Any]) -> Compiled:
    """Compile the question whether a fact is one of some values."""
    return _status(places, wanted) if fact.text == "status" else _num_events(places, wanted)


def _status(places: PathIndex, wanted: Sequence[Any]) -> Compiled:
    odd = places.find(_EXIT_STATUS, ([kind for kind in VALUES if kind != TEXT], "any", ()))
    if odd.marks or any(map(places.any, odd.lookups)):
        return ALL, False  # such a status is shown as another
    texts = [value for value in wanted if isinstance(value, str)]
    found, exact = (
        value_conditions.one_of(places, _EXIT_STATUS, texts) if texts else (NOTHING, True)
    )
    if not {"running", "unknown"} & set(texts):
        return found, exact
    return either([found, value_conditions.equal(places, _EXIT_STATUS, None)[0]]), False


def _num_events(places: PathIndex, wanted: Sequence[Any]) -> Compiled:
    # Where the main stream has no count, others have one, or events are counted.
    counts = [
        value_conditions.one_of(places, _MAIN_COUNT, wanted),
        value_conditions.equal(places, _MAIN_COUNT, None),
    ]
    return either(condition for condition, _ in counts), False
