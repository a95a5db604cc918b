"""The disk of a PostgreSQL server is full: nothing is half-written, and with room all goes on."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from tests.helpers.postgresql import new_schema, server

from databroker.errors import StoreAway
from databroker.stores.base import Store
from databroker.stores.sql.postgresql import PostgreSQLStore

from .full_disk import SCENES, NoDisk, fill, small_disk
from .outcome import Offered, Outcome, judged, judged_twice

REFUSALS = 3
"""So often a document is offered while there is no room."""


def run(count: int, seed: int = 0) -> Outcome:
    """Fill the disk so many times."""
    random, outcome = Random(seed), Outcome()
    try:
        with server() as started, small_disk() as folder, _database_on(started, folder) as address:
            for number in range(count):
                offered = SCENES[list(SCENES)[number % len(SCENES)]]()
                outcome += _one(address, folder / "filler", offered, random)
    except NoDisk as error:
        return Outcome(note=f"not tried: {error}")
    return outcome


@contextmanager
def _database_on(started: Any, folder: Path) -> Iterator[str]:
    """Have the address of a database whose tables are on a disk."""
    tables = folder / "tables"
    tables.mkdir()
    folder.chmod(0o755)
    if started.system_user is not None:
        shutil.chown(tables, started.system_user)
    with psycopg.connect(started.get_uri(), autocommit=True) as session:
        session.execute(f"CREATE TABLESPACE small LOCATION '{tables}'")
        session.execute("CREATE DATABASE small TABLESPACE small")
        yield started.get_uri(database="small")
        session.execute("DROP DATABASE small WITH (FORCE)")
        session.execute("DROP TABLESPACE small")


def _one(address: str, filler: Path, offered: Offered, random: Random) -> Outcome:
    outcome, place = Outcome(tried=1), random.randrange(1, len(offered) // 2)
    with ExitStack() as stack:
        schema = stack.enter_context(new_schema(address))
        stores = [PostgreSQLStore(address, schema=schema) for _ in range(2)]
        for store in stores:
            stack.enter_context(closing(store))
        stack.callback(filler.unlink, missing_ok=True)
        store, other = stores
        for pair in offered[:place]:
            store.insert(*pair)
        fill(filler, random.randrange(100_000))
        place = _until_refused(store, filler, offered, place, outcome)
        outcome += judged(store, offered, range(place))
        outcome += judged(other, offered, range(place))
        filler.unlink()
        outcome += judged_twice(store, offered, range(place))
        outcome.wrong += len(other.check().findings)
    return outcome


def _until_refused(
    store: Store, filler: Path, offered: Offered, place: int, outcome: Outcome
) -> int:
    """Insert until there is no room; return how many documents are stored."""
    refused = 0
    while place < len(offered) and refused < REFUSALS:
        try:
            store.insert(*offered[place])
        except StoreAway as error:
            refused += 1
            outcome.wrong += "disk of the server is full" not in str(error)
            fill(filler, 0)
        except Exception:
            traceback.print_exc()
            outcome.wrong += 1
            break
        else:
            place += 1
    outcome.wrong += refused == 0
    return place
