"""Ways of damaging a database file, each of which says what it did."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

PAGE = 8192

UNUSED = {"sqlite_sequence", "notes", "tags", "journal"}
"""Tables of which no question depends."""


def flip_in_file(path: Path, random: Random) -> str:
    """Flip one bit anywhere in the file."""
    content = bytearray(path.read_bytes())
    place, bit = random.randrange(len(content)), random.randrange(8)
    content[place] ^= 1 << bit
    path.write_bytes(content)
    return f"bit {bit} of byte {place} (page {place // PAGE + 1})"


def swap_pages(path: Path, random: Random) -> str:
    """Let two pages change places."""
    content = bytearray(path.read_bytes())
    one, other = random.sample(range(1, len(content) // PAGE), 2)
    mine, yours = slice(one * PAGE, (one + 1) * PAGE), slice(other * PAGE, (other + 1) * PAGE)
    content[mine], content[yours] = content[yours], content[mine]
    path.write_bytes(content)
    return f"pages {one + 1} and {other + 1} swapped"


def cut_short(path: Path, random: Random) -> str:
    """Lose the end of the file."""
    content = path.read_bytes()
    left = random.randrange(1, len(content))
    path.write_bytes(content[:left])
    return f"cut to {left} bytes"


def lose_row(path: Path, random: Random) -> str:
    """Lose a segment, or a block."""
    table, column = random.choice([("segments", "id"), ("blocks", "first")])
    with _raw(path) as raw:
        (key,) = random.choice(raw.execute(f"SELECT {column} FROM {table}").fetchall())
        raw.execute(f"DELETE FROM {table} WHERE {column} = ?", (key,))
    return f"{table} {key} lost"


def flip_in_value(path: Path, random: Random) -> str:
    """Flip one bit of a value in any column of any table."""
    with _raw(path) as raw:
        tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE rootpage")]
        while True:
            table = random.choice([name for name in tables if name not in UNUSED])
            with contextlib.suppress(sqlite3.Error):
                columns = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]
                rows = raw.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
                row = random.choice(rows or [()])
                place = random.randrange(len(columns))
                changed = _flipped(row[place], random) if row else None
                if changed is not None and changed != row[place]:
                    same = " AND ".join(f"{column} IS ?" for column in columns)
                    raw.execute(
                        f"UPDATE {table} SET {columns[place]} = ? WHERE {same}", (changed, *row)
                    )
                    return f"{table}.{columns[place]}: {row[place]!r:.60} to {changed!r:.60}"


KINDS: tuple[Callable[[Path, Random], str], ...] = (
    flip_in_file,
    flip_in_value,
    flip_in_file,
    flip_in_value,
    flip_in_file,
    swap_pages,
    lose_row,
    cut_short,
)
"""Tried in turns."""


@contextlib.contextmanager
def _raw(path: Path) -> Any:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
        yield raw
        raw.execute("PRAGMA journal_mode = WAL")


def _flipped(value: Any, random: Random) -> Any:
    if isinstance(value, int):
        return value ^ (1 << random.randrange(max(value.bit_length(), 1)))
    if isinstance(value, float):
        return value * (1 + 2.0 ** -random.randrange(1, 50))
    if isinstance(value, str | bytes) and value:
        data = bytearray(value.encode() if isinstance(value, str) else value)
        data[random.randrange(len(data))] ^= 1 << random.randrange(7)
        return data.decode() if isinstance(value, str) else bytes(data)
    return None
