"""What came of an attack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from databroker.documents.kinds import IDENTITY, OWNER
from databroker.query.nodes import Everything
from databroker.stores.base import Store
from databroker.stores.sql import SQLiteStore
from databroker.testing import difference, read_rows
from databroker.testing.reference import singles

Doc = dict[str, Any]
Offered = Sequence[tuple[str, Doc]]
Key = tuple[str, str, str]

ROWS_OF = {"descriptor": "event", "resource": "datum", "stream_resource": "stream_datum"}


@dataclass
class Outcome:
    """How often something was tried, and how often it went wrong.

    Attributes
    ----------
    tried
        How many times.
    lost
        Documents whose insert had returned, and that are not there.
    doubled
        Documents that are there more than once.
    wrong
        Answers that are not right: other documents, foreign errors, damage not noticed.
    stuck
        How often something waited for ever, or could not go on.
    note
        What else there is to say: why nothing was tried, or what a process said that went wrong.
    """

    tried: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    stuck: int = 0
    note: str = ""

    @property
    def faults(self) -> int:
        """How much went wrong."""
        return self.lost + self.doubled + self.wrong + self.stuck

    def __iadd__(self, other: Outcome) -> Outcome:
        for field in fields(self):
            mine, more = getattr(self, field.name), getattr(other, field.name)
            setattr(self, field.name, mine or more if field.name == "note" else mine + more)
        return self


def judged(store: Store, offered: Offered, acknowledged: Collection[int]) -> Outcome:
    """Compare what a store holds with what it was offered, and had acknowledged."""
    wanted: dict[Key, Doc] = {}
    due: set[Key] = set()
    for place, pair in enumerate(offered):
        for kind, doc in singles([pair]):
            wanted[_key(kind, doc)] = doc
            if place in acknowledged:
                due.add(_key(kind, doc))
    found = list(stored(store))
    times = Counter(_key(kind, doc) for kind, doc in found)
    return Outcome(
        lost=len(due - times.keys()),
        doubled=sum(count - 1 for count in times.values()),
        wrong=sum(difference(doc, wanted.get(_key(kind, doc))) is not None for kind, doc in found),
    )


def stored(store: Store) -> list[tuple[str, Doc]]:
    """Return all documents of all runs, one by one."""
    found: list[tuple[str, Doc]] = []
    for run in store.find(Everything()):
        found.append(("start", run.start))
        if run.stop is not None:
            found.append(("stop", run.stop))
        for kind, doc in store.documents(run.uid):
            found.append((kind, doc))
            rows = ROWS_OF[kind]
            found += [(rows, row) for row in read_rows(store, rows, doc["uid"])]
    return found


def judged_file(path: Path, offered: Offered, acknowledged: Collection[int]) -> Outcome:
    """Judge a file, before and after everything is delivered again."""
    with closing(SQLiteStore(path)) as store:
        return judged_twice(store, offered, acknowledged)


def judged_twice(store: Store, offered: Offered, acknowledged: Collection[int]) -> Outcome:
    """Judge a store, then deliver everything again: nothing may be refused, nothing be twice."""
    outcome = judged(store, offered, acknowledged)
    for kind, doc in offered:
        store.insert(kind, doc)
    outcome += judged(store, offered, range(len(offered)))
    return outcome


def _key(kind: str, doc: Doc) -> Key:
    return kind, str(doc.get(OWNER.get(kind, ""), "")), str(doc[IDENTITY[kind]])
