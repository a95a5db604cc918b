"""Runs in plain SQLite, with an ideal index for each question that will be asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from databroker.documents.encode import decode, encode
from databroker.query.text import texts_of
from databroker.query.text import words as words_of

from . import limits
from .metadata import COMMON_WORD, RARE_WORD, starts

_BATCH = 5000

_CREATE = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, uid TEXT, time REAL, scan_id INTEGER, plan_name TEXT, operator TEXT,
    purpose TEXT, flag TEXT, sample TEXT, thickness REAL, start BLOB);
CREATE TABLE words (word TEXT, run INTEGER, PRIMARY KEY (word, run)) WITHOUT ROWID;
"""
_INDEX = """
CREATE INDEX by_uid ON runs (uid);
CREATE INDEX by_time ON runs (time);
CREATE INDEX by_scan ON runs (scan_id);
CREATE INDEX by_flag ON runs (flag);
CREATE INDEX by_plan ON runs (plan_name);
CREATE INDEX by_sample ON runs (sample);
CREATE INDEX by_thickness ON runs (thickness);
CREATE INDEX by_two ON runs (plan_name, operator);
PRAGMA wal_checkpoint(TRUNCATE);
"""


class PlainCatalog:
    """The same runs as in the catalog that is measured.

    Of words, only those that will be asked for are kept.
    """

    def __init__(self, path: Path) -> None:
        self._connection: sqlite3.Connection = limits.connect(path)

    def build(self, count: int) -> None:
        """Fill the tables, then make the indexes."""
        self._connection.executescript(_CREATE)
        documents = starts(count)
        first = 0
        while batch := list(islice(documents, _BATCH)):
            runs, words = [], []
            for place, doc in enumerate(batch, first):
                sample = doc["sample"]
                values = (doc.get(key) for key in _KEYS)
                runs.append((place, *values, sample["name"], sample["thickness"], encode(doc)))
                occurring = {word for text in texts_of(doc) for word in words_of(text)}
                asked = occurring & {COMMON_WORD, RARE_WORD}
                words += [(word, place) for word in asked]
            first += len(batch)
            self._connection.execute("BEGIN")
            self._connection.executemany(f"INSERT INTO runs VALUES ({_marks(11)})", runs)
            self._connection.executemany("INSERT INTO words VALUES (?, ?)", words)
            self._connection.execute("COMMIT")
        self._connection.executescript(_INDEX)

    def newest(self, count: int, where: str = "1", values: Sequence[Any] = ()) -> list[Any]:
        """The newest runs that fulfil a condition, decoded."""
        sql = f"SELECT start FROM runs WHERE {where} ORDER BY id DESC LIMIT {count}"
        return [decode(row[0]) for row in self._connection.execute(sql, values)]

    def with_word(self, word: str) -> Any:
        """The newest run with a word."""
        sql = (
            "SELECT start FROM words CROSS JOIN runs ON id = run WHERE word = ? "
            "ORDER BY run DESC LIMIT 1"
        )
        return decode(self._connection.execute(sql, (word,)).fetchone()[0])

    def count(self, where: str, values: Sequence[Any] = ()) -> int:
        """How many runs fulfil a condition."""
        found: int = self._connection.execute(
            f"SELECT count(*) FROM runs WHERE {where}", values
        ).fetchone()[0]
        return found

    def frame(self) -> Any:
        """All runs as a table of a few columns."""
        import pandas as pd

        names = ["uid", "scan_id", "time", "plan_name", "sample"]
        sql = f"SELECT {', '.join(names)} FROM runs ORDER BY id DESC"
        return pd.DataFrame(self._connection.execute(sql).fetchall(), columns=names)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


_KEYS = ("uid", "time", "scan_id", "plan_name", "operator", "purpose", "flag")


def _marks(count: int) -> str:
    return ", ".join("?" * count)
