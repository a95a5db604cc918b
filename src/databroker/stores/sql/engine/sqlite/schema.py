"""The tables in an SQLite file (see `engine.schema`), and how older ones become newer ones."""

from __future__ import annotations

APPLICATION_ID = 0x44424B52
"""Stands in the header of each SQLite file of ours ('DBKR')."""

VERSION = 4
"""The version of the tables below.

Those before 4 were never released.
"""

CREATE = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    arrival INTEGER NOT NULL UNIQUE,
    time REAL NOT NULL,
    start BLOB NOT NULL,
    stop BLOB,
    stop_uid TEXT UNIQUE,
    host TEXT,
    pid INTEGER,
    boot_id TEXT
);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    uid TEXT NOT NULL,
    run TEXT,
    body BLOB NOT NULL,
    UNIQUE (uid, kind)
);
CREATE INDEX documents_run ON documents (run, id);
CREATE TABLE paths (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL,
    path TEXT NOT NULL,
    kind INTEGER NOT NULL,
    UNIQUE (document, path, kind)
);
CREATE TABLE numbers (
    path INTEGER NOT NULL,
    value NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (path, value, run)
) WITHOUT ROWID;
CREATE TABLE texts (
    path INTEGER NOT NULL,
    value BLOB NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (path, value, run)
) WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    run TEXT,
    sealed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (owner, kind)
);
CREATE INDEX series_run ON series (run);
CREATE TABLE tail (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE blocks (
    series INTEGER NOT NULL,
    first INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    min_seq INTEGER NOT NULL,
    max_seq INTEGER NOT NULL,
    last_time REAL NOT NULL,
    layout BLOB NOT NULL,
    PRIMARY KEY (series, first)
) WITHOUT ROWID;
CREATE TABLE segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    data BLOB NOT NULL
);
CREATE TABLE datum_owners (
    datum_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
"""

MIGRATIONS: dict[int, str] = {}
"""For each older version, the statements that make the next one of it."""
