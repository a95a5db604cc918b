"""The tables in a PostgreSQL database (see `engine.schema`), and how older ones become newer ones.

Text is ordered by its bytes, whatever the language of the server. Documents are bytes, as jsonb
keeps neither the order of keys nor all numbers; they and the segments are packed already.

A row that comes by itself is appended by a function: each statement in it sees what was committed
when it begins, so the second one sees what was done before the lock was had.
"""

from __future__ import annotations

VERSION = 1
"""The version of the tables below."""

CREATE = """
CREATE TABLE runs (
    id bigint PRIMARY KEY,
    uid text COLLATE "C" NOT NULL UNIQUE,
    arrival bigint NOT NULL UNIQUE,
    time double precision NOT NULL,
    start bytea NOT NULL,
    stop bytea,
    stop_uid text COLLATE "C" UNIQUE,
    host text,
    pid bigint,
    boot_id text
);
CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    uid text COLLATE "C" NOT NULL,
    run text COLLATE "C",
    body bytea NOT NULL,
    UNIQUE (uid, kind)
);
CREATE INDEX documents_run ON documents (run, id);
CREATE TABLE paths (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document bigint NOT NULL,
    path text COLLATE "C" NOT NULL,
    kind bigint NOT NULL,
    UNIQUE (document, path, kind)
);
CREATE TABLE numbers (
    path bigint NOT NULL,
    value double precision NOT NULL,
    run bigint NOT NULL,
    whole boolean NOT NULL,
    PRIMARY KEY (path, value, run)
);
CREATE TABLE texts (
    path bigint NOT NULL,
    value bytea NOT NULL,
    run bigint NOT NULL,
    PRIMARY KEY (path, value, run)
);
CREATE TABLE series (
    id bigint PRIMARY KEY,
    kind text NOT NULL,
    owner text COLLATE "C" NOT NULL,
    run text COLLATE "C",
    sealed bigint NOT NULL DEFAULT 0,
    UNIQUE (owner, kind)
);
CREATE INDEX series_run ON series (run);
CREATE TABLE tail (
    id bigint PRIMARY KEY,
    seq bigint NOT NULL,
    body bytea NOT NULL
);
CREATE FUNCTION append_row(
    writers bigint, key bigint, seq_num bigint, row_body bytea, of_series bigint, blocked bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE added bigint;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(writers);
    INSERT INTO tail (id, seq, body) SELECT key, seq_num, row_body
        WHERE (SELECT sealed FROM series WHERE id = of_series) = blocked ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END $$;
CREATE TABLE blocks (
    series bigint NOT NULL,
    first bigint NOT NULL,
    stop bigint NOT NULL,
    min_seq bigint NOT NULL,
    max_seq bigint NOT NULL,
    last_time double precision NOT NULL,
    layout bytea NOT NULL,
    PRIMARY KEY (series, first)
);
CREATE TABLE segments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    data bytea NOT NULL
);
ALTER TABLE segments ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE datum_owners (
    datum_id text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C" NOT NULL
);
CREATE TABLE meta (
    key text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);
"""

MIGRATIONS: dict[int, str] = {}
"""For each older version, the statements that make the next one of it."""
