"""What asks for a few runs says so to the store, which then need not look for more."""

import pytest

from databroker import Broker
from databroker.stores.memory import MemoryStore

FIRST_FEW = {
    "db[-1]": (lambda db: db[-1], 1),
    "db[-3]": (lambda db: db[-3], 3),
    "db[-5:]": (lambda db: db[-5:], 5),
    "db[-5:-2]": (lambda db: db[-5:-2], 5),
    "a scan_id": (lambda db: db[7], 1),
    "first": (lambda db: db(plan_name="count").first(), 1),
    "limit": (lambda db: list(db(plan_name="count").limit(4)), 4),
    "limit of a limit": (lambda db: list(db().limit(9).limit(2)), 2),
    "first of a limit": (lambda db: db().limit(9).first(), 1),
    "count of a limit": (lambda db: db().limit(4).count(), 4),
    "repr": (lambda db: str(db(plan_name="count")), None),
}


class Asked(MemoryStore):
    """Remembers how many runs were wanted of it, and how many it gave."""

    def __init__(self):
        super().__init__()
        self.limits = []
        self.given = 0

    def find(self, query, *, limit=None, after=None):
        self.limits.append(limit)
        for run in super().find(query, limit=limit, after=after):
            self.given += 1
            yield run


@pytest.mark.parametrize("ask", FIRST_FEW)
def test_the_store_is_told_how_many_are_wanted(ask):
    store = Asked()
    for number in range(30):
        store.insert("start", {"uid": f"{number:02}", "time": float(number), "scan_id": number})
    for number in range(30, 60):
        metadata = {"scan_id": number, "plan_name": "count"}
        store.insert("start", {"uid": f"{number:02}", "time": float(number), **metadata})
    store.limits.clear()
    store.given = 0
    look, wanted = FIRST_FEW[ask]
    look(Broker(store))
    assert None not in store.limits
    if wanted is not None:
        assert store.limits == [wanted]
        assert store.given == wanted
