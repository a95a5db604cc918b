"""The tables of a schema: made where there are none, and what must be so that they are ours."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from .....errors import ForeignStore, StoreUnavailable
from ..connection import Connection
from . import schema

Session = psycopg.Connection[tuple[Any, ...]]

_MAKING = 0x44424B52  # the lock of whoever makes tables


def make_right(session: Session, name: str, schema_name: str, read_only: bool) -> int:
    """See to the tables; return the number of the schema.

    Nothing is written where all is there, so that who may only read can open it.
    """
    number = _number_of(session, schema_name)
    version = None if number is None else _version(session, name, schema_name)
    if version != schema.VERSION and not read_only:
        with session.transaction():
            session.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
            number = _make(session, name, schema_name)
        version = schema.VERSION
    if number is None or version is None:
        raise StoreUnavailable(
            f"{name} has no runs in the schema {schema_name!r}, and it is to be opened read-only."
        )
    if version != schema.VERSION:
        raise StoreUnavailable(
            f"{name} was written by an older databroker (its tables have version {version}, this "
            f"one reads {schema.VERSION}). Open it once without `read_only`: that makes them new."
        )
    return number


def _make(session: Session, name: str, schema_name: str) -> int:
    """Make what is not there yet, alone among all who do; return the number of the schema."""
    if _number_of(session, schema_name) is None:
        session.execute(_of_schema("CREATE SCHEMA {}", schema_name))
    session.execute(_of_schema("SET LOCAL search_path TO {}", schema_name))
    version = _version(session, name, schema_name)
    if version is None:
        session.execute(schema.CREATE)
    for older in range(version or schema.VERSION, schema.VERSION):
        session.execute(schema.MIGRATIONS[older])
    session.execute(
        "INSERT INTO meta (key, value) VALUES ('version', %s) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (b"%d" % schema.VERSION,),
    )
    number = _number_of(session, schema_name)
    assert number is not None
    return number


def size_of(connection: Connection, schema_name: str) -> int:
    """Return how many bytes the tables of a schema take, with their indexes."""
    question = (
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ?)"
    )
    size: int = connection.execute(question, [schema_name])[0][0]
    return size


def _number_of(session: Session, schema_name: str) -> int | None:
    question = "SELECT oid::bigint FROM pg_namespace WHERE nspname = %s"
    row = session.execute(question, (schema_name,)).fetchone()
    return None if row is None else row[0]


def _version(session: Session, name: str, schema_name: str) -> int | None:
    """Return the version of the tables, None if there are none; refuse those that are not ours."""
    question = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
    tables = {table for (table,) in session.execute(question, (schema_name,))}
    if not tables:
        return None
    row = None
    if "meta" in tables:
        question = "SELECT value FROM {}.meta WHERE key = 'version'"
        row = session.execute(_of_schema(question, schema_name)).fetchone()
    if row is None:
        raise ForeignStore(
            f"The schema {schema_name!r} of {name} has tables of another program. Choose another "
            "schema; it was not touched."
        )
    version = int(row[0])
    if version > schema.VERSION:
        raise ForeignStore(
            f"{name} was written by a newer databroker (its tables have version {version}, this "
            f"one knows {schema.VERSION}). Upgrade databroker: pip install --upgrade databroker"
        )
    return version


def _of_schema(statement: str, schema_name: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(schema_name))
