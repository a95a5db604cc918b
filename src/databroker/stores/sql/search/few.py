"""Searches for a few runs that one statement answers: the newest, those of a value, of a uid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from ....errors import StoreDamaged
from ....query.nodes import Equals, Everything, Node, UidPrefix
from ....query.values import thaw
from ..engine.connection import Connection, portable
from ..engine.failures import DatabaseError, is_damage
from ..engine.schema import START
from ..engine.statements import runs
from ..run_key import newest_first
from ..starts import Run, open_run
from .compile import uids_with
from .index import IDENTITY, bound, table_of
from .index_terms import EXACT_INTEGERS, NUMBER, TEXT, UNINDEXED, leaf

MOST = 500
"""Of more runs, the first would be late."""

_SPARE = 8
"""So many runs more are read than are asked for: where keys were taken, they are out of order."""


def few_runs(connection: Connection, query: Node, limit: int) -> list[Run] | None:
    """Return the newest runs that match, or None where one statement does not say for sure."""
    try:
        found = _found(connection, query, limit)
    except StoreDamaged:
        return None
    except DatabaseError as error:
        if not is_damage(error):
            raise
        return None
    return found if found is not None and all(run.intact for run in found) else None


def _found(connection: Connection, query: Node, limit: int) -> list[Run] | None:
    if isinstance(query, Everything):
        return _newest(runs.newest(connection, limit + _SPARE), limit)
    if isinstance(query, UidPrefix):
        return _of_prefix(connection, query.prefix, limit)
    if isinstance(query, Equals) and query.path.document == "start":
        return _of_value(connection, query.path.text, thaw(query.value), limit)
    return None


def _of_value(connection: Connection, path: str, value: Any, limit: int) -> list[Run] | None:
    if path == "uid" and isinstance(value, str):
        row = runs.by(connection, "uid", portable(value))
        return [] if row is None else [open_run(row)]
    kind, indexed = leaf(value)
    is_exact = kind == TEXT or (kind == NUMBER and abs(indexed) < EXACT_INTEGERS)
    if not is_exact or path in IDENTITY[START] or any(map(str.isdigit, path.split("."))):
        return None
    parts = path.split(".")
    ways = [".".join(parts[:end]) for end in range(len(parts) + 1)]
    rows = runs.newest_with(
        connection,
        (START, portable(path), kind),
        (table_of(kind), bound(kind, indexed)),
        (UNINDEXED, [portable(way) for way in ways]),
        limit + _SPARE,
    )
    return _newest(rows, limit) if rows else None


def _of_prefix(connection: Connection, prefix: str, limit: int) -> list[Run] | None:
    if not prefix or portable(prefix) != prefix:
        return None
    rows = runs.between_uids(connection, *uids_with(prefix), limit + 1)
    if not rows or len(rows) > limit:
        return None
    found = map(open_run, rows)
    return sorted(found, key=lambda run: (run.time, run.arrival), reverse=True)


def _newest(rows: Sequence[tuple[Any, ...]], limit: int) -> list[Run] | None:
    """Return the newest of runs by descending key; None if more of them must be seen for that."""
    unread = iter(rows)
    found = list(islice(newest_first(map(open_run, unread)), limit))
    # Those that were read first may be in another order if there are more.
    is_sure = len(rows) < limit + _SPARE or next(unread, None) is not None
    return found if is_sure else None
