"""The time of a run as a range of keys."""

from __future__ import annotations

import math
from typing import Any

from ....query.values import is_number
from ..displacement import displacement
from ..engine.connection import Connection
from ..engine.statements import runs
from ..run_key import key_of
from .conditions import ALL, NOTHING, KeyRange
from .index_terms import EXACT_INTEGERS
from .value_conditions import Compiled

_FIRST, _LAST = -(2**63), 2**63 - 2


def window(connection: Connection, op: str, time: Any) -> Compiled:
    """Compile a comparison of the run's start time.

    A key is never smaller than that of its time, and greater only by as much
    as runs were ever moved on. So only the runs that close to the bound need
    to be looked at, and mostly there are none.
    """
    if not is_number(time) or time != time:
        return NOTHING, True
    if time in (math.inf, -math.inf):  # integers of any size can be compared
        return (ALL if (time > 0) == op.startswith("l") else NOTHING), True
    if abs(time) >= EXACT_INTEGERS:
        return ALL, False
    first = key_of(time)
    last = min(first + displacement(connection), _LAST)
    found = KeyRange(first, _LAST) if op.startswith("g") else KeyRange(_FIRST, last)
    return found, not runs.any_beyond(connection, (first, last), op, time)
