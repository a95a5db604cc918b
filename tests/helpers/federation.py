"""Stores that spread over their members what is inserted: only tests write so."""

import copy

from databroker.documents.kinds import OWNER, PAGES
from databroker.documents.pages import owner_of
from databroker.stores.base import Store
from databroker.stores.federation import FederatedStore


class BothStore(FederatedStore):
    """Puts every document into each member."""

    def put(self, kind, doc):
        for member in self.members.values():
            member.put(kind, copy.deepcopy(doc))  # which is then the member's own

    put_many = Store.put_many
    put_batch = Store.put_batch
    insert_runs = Store.insert_runs


class SplitStore(BothStore):
    """Puts the runs into its members by their uids, and what is nobody's into the last.

    Rows whose document is not there yet go into all of them.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._homes = {}  # of each owner of rows, the member that it is in

    def put(self, kind, doc):
        members = list(self.members.values())
        if PAGES.get(kind, kind) in OWNER:
            home = self._homes.get(owner_of(kind, doc))
            if home is None and kind == "datum":
                home = next((one for one in members if one.datum(doc["datum_id"])), None)
            if home is None:  # their document comes later, wherever it belongs
                super().put(kind, doc)
            else:
                home.put(kind, doc)
            return
        run = doc["uid"] if kind == "start" else doc.get("run_start")
        home = members[-1 if run is None else sum(map(ord, run)) % len(members)]
        home.put(kind, doc)
        self._homes[doc["uid"]] = home


def _homes(uid):
    """Return in which of two stores a run is, and in which of them without its stop."""
    homes = [("here",), ("there",), ("here", "there"), ("here", "there")]
    number = sum(map(ord, uid)) % 4
    return homes[number], "here" if number == 3 else None


def _run(kind, doc):
    return doc["uid"] if kind == "start" else doc["run_start"]


def spread(documents, run_of=_run):
    """Spread documents of runs over two stores: some are in both, of these some not yet whole."""
    found = {"here": [], "there": []}
    for kind, doc in documents:
        homes, without_stop = _homes(run_of(kind, doc))
        for home in homes:
            if (kind, home) != ("stop", without_stop):
                found[home].append((kind, doc))
    return found


def by_owner(documents, run_of=_run):
    """Return documents as one store gets them that is to have the order of two that share them.

    Of runs of one time the last to arrive comes first, and so must those of the first store.
    """
    stopped = {doc["run_start"] for kind, doc in documents if kind == "stop"}

    def is_here(pair):
        homes, without_stop = _homes(uid := run_of(*pair))
        return homes[0] == "here" and not (without_stop and uid in stopped)

    return sorted(documents, key=is_here)
