"""Which runs came since: by their ids, which have the time of whoever stored them.

The clocks of several may differ. So the newest few are looked at again: a run is seen unless the
clock of who stored it is behind by more than these took. Of runs that come with ids of old, as
from a dump, nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..._util.portable_text import original
from .database import Database

_MARKED = 48
"""Runs in a mark, the newest first."""

_SEEN = 32
"""So many of them are seen again, until what is behind them is known to be so, too."""


def newest_mark(database: Database, collection: str) -> list[str] | None:
    """Return the uids of the newest runs; None if there are none."""
    return list(_newest(database, collection, _MARKED)) or None


def uids_since(
    database: Database, collection: str, all_uids: Callable[[], list[str]], mark: Any
) -> tuple[list[str], Any] | None:
    """Return the uids of the runs that came since a mark, and a new one; see `Store`."""
    if mark is None:
        mark = newest_mark(database, collection)
        return all_uids(), mark
    if not isinstance(mark, list) or set(map(type, mark)) != {str}:  # it is of another store
        return None
    for most in (2 * _MARKED, 0):  # 0 stands for all, of which those are fetched that are looked at
        came, seen = list[str](), 0
        for uid in _newest(database, collection, most):
            came += [uid] if uid not in mark else []
            seen += uid in mark
            if seen == min(_SEEN, len(mark)):
                return came, [*came, *mark][:_MARKED]
    return (came, [*came, *mark][:_MARKED]) if seen else None


def _newest(database: Database, collection: str, most: int) -> Iterator[str]:
    fields, order = {"_id": 0, "uid": 1}, [("_id", -1)]
    found = database.find(collection, {}, fields=fields, order=order, limit=most)
    return (original(each["uid"]) for each in found)
