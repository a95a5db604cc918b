"""The index of metadata: paths with their kinds, and the values that runs have there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ....._util.lazy import lazy_module
from ..conditions import Lookup
from ..connection import Connection, fetch
from ..render import Sql, between, candidates, entries, marks, run_of
from .insert import insert_rows

if TYPE_CHECKING:
    import numpy as np

    Keys = np.ndarray[Any, np.dtype[np.int64]]
else:
    np = lazy_module("numpy")

Row = tuple[Any, ...]


# -- paths -------------------------------------------------------------------


def path_id(connection: Connection, document: int, path: Any, kind: int) -> int | None:
    """Return the number of a path and a kind of value, if any document has such."""
    rows = fetch(
        connection,
        "SELECT id FROM paths WHERE document = ? AND path = ? AND kind = ?",
        (document, path, kind),
    )
    return rows[0][0] if rows else None


def add_path(connection: Connection, document: int, path: Any, kind: int) -> int:
    """Give a number to a path and a kind of value."""
    (number,) = connection.insert("paths (document, path, kind)", [(document, path, kind)])
    return number


def kinds_at(connection: Connection, document: int, paths: Collection[Any]) -> list[Row]:
    """Return path, kind and number of what there is at some paths."""
    return fetch(
        connection,
        f"SELECT path, kind, id FROM paths WHERE document = ? AND path IN ({marks(paths)})",
        (document, *paths),
    )


def some_paths(connection: Connection, document: int, most: int) -> list[Any]:
    """Return paths: of very many, those known longest and those known last."""
    sql = "SELECT path FROM paths WHERE document = ? ORDER BY id {} LIMIT ?"
    return [
        row[0]
        for order in ("ASC", "DESC")
        for row in fetch(connection, sql.format(order), (document, most // 2))
    ]


def path_numbered(connection: Connection, number: int) -> Row | None:
    """Return document, kind, and the bytes of a path."""
    path = connection.dialect.as_bytes.format("path")
    sql = f"SELECT document, kind, {path} FROM paths WHERE id = ?"
    rows = fetch(connection, sql, (number,))
    return rows[0] if rows else None


# -- entries -----------------------------------------------------------------


def add(connection: Connection, index: str, rows: Iterable[Row], are_new: bool = False) -> None:
    """Store entries (path, value, run), unless they are there; or each of them once."""
    columns = "path, value, run"
    if index == "numbers" and not connection.dialect.dynamic:
        columns += ", whole"
        rows = [(path, value, run, type(value) is int) for path, value, run in rows]
    insert_rows(connection, f"{index} ({columns})", rows, are_new)


def drop(connection: Connection, index: str, rows: Iterable[Row]) -> None:
    """Take entries out."""
    connection.executemany(f"DELETE FROM {index} WHERE path = ? AND value = ? AND run = ?", rows)


# -- searches ----------------------------------------------------------------


def any_entry(connection: Connection, lookup: Lookup) -> bool:
    """Tell whether there is such an entry."""
    sql, values = entries(lookup)
    return bool(fetch(connection, f"SELECT 1 FROM {sql} LIMIT 1", values))


def count(connection: Connection, lookup: Lookup, keys: tuple[int, int], most: int = -1) -> int:
    """Return how many entries there are of runs between two keys, counting up to a limit."""
    sql, values = between(lookup, *keys)
    if most < 0:
        return int(fetch(connection, f"SELECT count(*) FROM {sql}", values)[0][0])
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {sql} LIMIT {most}) AS few"
    return int(fetch(connection, sql, values)[0][0])


def key_at(connection: Connection, lookup: Lookup, keys: tuple[int, int], place: int) -> int | None:
    """Return the key of the entry at a place, counted from the newest run."""
    sql, values = between(lookup, *keys)
    run = run_of(lookup)
    rows = fetch(
        connection, f"SELECT {run} FROM {sql} ORDER BY {run} DESC LIMIT 1 OFFSET {place}", values
    )
    return rows[0][0] if rows else None


def keys_of(connection: Connection, lookup: Lookup, keys: tuple[int, int]) -> Keys:
    """Return the keys of all entries of runs between two keys, as they come."""
    sql, values = between(lookup, *keys)
    joined = connection.dialect.joined.format(run_of(lookup))
    (text,) = fetch(connection, f"SELECT {joined} FROM {sql}", values)[0]
    return np.empty(0, np.int64) if text is None else np.fromstring(text, np.int64, sep=",")


def met(
    connection: Connection,
    scans: Sequence[Lookup],
    test: Sql,
    keys: tuple[int, int],
    size: int | None = None,
) -> list[Row]:
    """Return the runs that scans meet, the newest first, and whether each passes a test."""
    return fetch(connection, *candidates(scans, test, keys, size))


# -- values ------------------------------------------------------------------


def values_by_run(
    connection: Connection, lookup: Lookup, keys: tuple[int, int], most: int | None = None
) -> list[Row]:
    """Return run and value of entries of runs between two keys."""
    sql, values = between(lookup, *keys)
    limit = "" if most is None else f" LIMIT {most}"
    value = _value(connection, lookup)
    return _typed(fetch(connection, f"SELECT x.run, {value} FROM {sql}{limit}", values))


def counts(connection: Connection, lookup: Lookup, keys: tuple[int, int]) -> list[Row]:
    """Return each value, and how many runs between two keys have it."""
    sql, values = between(lookup, *keys)
    value = _value(connection, lookup)
    rows = fetch(connection, f"SELECT count(*), {value} FROM {sql} GROUP BY {value}", values)
    return [(value, count) for count, value in _typed(rows)]


def _value(connection: Connection, lookup: Lookup) -> str:
    is_whole = lookup.index == "numbers" and not connection.dialect.dynamic
    return "x.value, x.whole" if is_whole else "x.value"


def _typed(rows: list[Row]) -> list[Row]:
    """Return rows whose second column is a value; a third one says whether it is an integer."""
    if not rows or len(rows[0]) == 2:
        return rows
    return [(first, int(value) if is_whole else value) for first, value, is_whole in rows]


def different(connection: Connection, path: int, most: int) -> list[Any]:
    """Return the different texts at a path, up to a limit: each is one step through the index."""
    sql = (
        "WITH RECURSIVE step(value) AS ("
        "SELECT (SELECT value FROM texts WHERE path = ? ORDER BY value LIMIT 1) UNION ALL "
        "SELECT (SELECT value FROM texts WHERE path = ? AND value > step.value "
        "ORDER BY value LIMIT 1) FROM step WHERE step.value IS NOT NULL) "
        "SELECT value FROM step WHERE value IS NOT NULL LIMIT ?"
    )
    return [row[0] for row in fetch(connection, sql, (path, path, most))]
