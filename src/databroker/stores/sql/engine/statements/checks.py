"""What a check asks, and how it sets right what can be derived again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..conditions import KeyRange
from ..connection import Connection, fetch
from ..render import marks

Row = tuple[Any, ...]

_STRAYS = (
    "SELECT count(*), min(series) FROM blocks WHERE series NOT IN (SELECT id FROM series)",
    "SELECT count(*), min(id >> 32) FROM tail WHERE id >> 32 NOT IN (SELECT id FROM series)",
    "SELECT count(*), min(s.id) FROM tail t JOIN series s ON s.id = t.id >> 32 "
    "WHERE (t.id & 4294967295) < s.sealed",
)


def size(connection: Connection) -> int:
    """Return how many steps a check will have, about."""
    sql = (
        "SELECT 2 * (SELECT count(*) FROM runs) + (SELECT count(*) FROM documents) "
        "+ (SELECT coalesce(sum(sealed), 0) FROM series) + (SELECT count(*) FROM tail)"
    )
    return int(fetch(connection, sql)[0][0])


def keys_after(connection: Connection, table: str, after: int | None, most: int) -> list[int]:
    """Return integer keys of a table, after one."""
    where, values = ("", ()) if after is None else ("WHERE id > ?", (after,))
    sql = f"SELECT id FROM {table} {where} ORDER BY id LIMIT {most}"
    return [key for (key,) in fetch(connection, sql, values)]


def rows_between(
    connection: Connection, table: str, columns: str, keys: tuple[int, int]
) -> list[Row]:
    """Return the rows of a table between two keys, each behind its key."""
    sql = f"SELECT id, {columns} FROM {table} WHERE id BETWEEN ? AND ? ORDER BY id"
    return fetch(connection, sql, keys)


def strays(connection: Connection, which: int) -> Row:
    """Return how many rows, or blocks of them, nothing leads to, and a series of them."""
    return fetch(connection, _STRAYS[which])[0]


STRAYS = range(len(_STRAYS))
"""The ways in which rows stray."""


# -- entries of the index ----------------------------------------------------


def entries_after(
    connection: Connection, index: str, runs: KeyRange | Sequence[int], last: Row | None
) -> tuple[list[Row], bool]:
    """Return entries (path, value, run) by the order of their key, and whether these are all.

    Text, which a damaged file may have where there was none, stands in a tuple, as its bytes.
    """
    if isinstance(runs, KeyRange):
        where, values = "run BETWEEN ? AND ?", [runs.low, runs.high]
    else:
        where, values = f"run IN ({marks(runs)})", list(runs)
    after: Row = ()
    page = connection.limits.checked_entries
    if last is not None:
        path, value, run = last
        sql, raw = _as_sql(value)
        where, after = f"{where} AND (path, value, run) > (?, {sql}, ?)", (path, raw, run)
    value = "typeof(value) = 'text', CASE typeof(value) WHEN 'text' THEN CAST(value AS BLOB) "
    value = value + "ELSE value END" if connection.dialect.dynamic else "1 = 0, value"
    rows = fetch(
        connection,
        f"SELECT path, {value}, run FROM {index} WHERE {where} "
        f"ORDER BY path, value, run LIMIT {page}",
        (*values, *after),
    )
    found = [(path, (value,) if is_text else value, run) for path, is_text, value, run in rows]
    return found, len(rows) < page


def drop_entry(connection: Connection, index: str, row: Row) -> None:
    """Take an entry out that was read by `entries_after`."""
    path, value, run = row
    sql, raw = _as_sql(value)
    connection.execute(
        f"DELETE FROM {index} WHERE path = ? AND value = {sql} AND run = ?", (path, raw, run)
    )


def _as_sql(value: Any) -> tuple[str, Any]:
    return ("CAST(? AS TEXT)", value[0]) if type(value) is tuple else ("?", value)
