"""Long answers over a line that is cut again and again: they go on where they broke off."""

from contextlib import closing

import pytest

from databroker.columns import ALL
from databroker.errors import StoreAway
from databroker.query.nodes import Everything
from databroker.stores import many
from databroker.stores.http import HTTPStore, store
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import descriptor, event_page, start, stop
from helpers.proxy import Line
from helpers.serving import served

SEVERAL = [f"run {number}" for number in range(30)]
PIECE = 20_000
"""More bytes than the head of an answer and an item take, and fewer than all items."""


class InSmallBatches(SQLiteStore):
    """Yields rows as a store does that has them in small blocks."""

    def read(self, *args):
        for batch in super().read(*args):
            for first in range(0, batch.num_rows, 100):
                yield batch.slice(first, 100)


class ShortLine(Line):
    """A line that lets so many bytes through, each way, and then ends the connection."""

    most = PIECE
    cuts = 0

    def let_through(self, most):
        """Begin anew, with other connections."""
        self.cut()
        self.most, self.cuts = most, 0
        self.restore()

    def _copy(self, source, target):
        left = self.most
        while left and (data := source.recv(min(left, 2**16))):
            target.sendall(data)
            left -= len(data)
        self.cuts += not left


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """A line to a server of several small runs, and a large one."""
    path = tmp_path_factory.mktemp("resuming") / "runs.db"
    with closing(InSmallBatches(path)) as behind:
        for uid in [*SEVERAL, "large"]:
            size = 2_000 if uid == "large" else 20
            rows = "event_page", event_page(range(1, size), uid)
            run = [("start", start(uid, note="x" * 3_000)), ("descriptor", descriptor(uid, uid))]
            behind.insert_many([*run, rows, ("stop", stop(uid))])
        with served(behind) as server:
            line = ShortLine(("127.0.0.1", server.port))
            yield line
            line.cut()


@pytest.fixture
def cut(line, monkeypatch):
    """A store behind that line, which asks for few runs at once; pages have few, too."""
    monkeypatch.setattr(many, "PAGE_RUNS", 2)
    monkeypatch.setattr(store, "_MOST_RUNS", 20)
    with closing(HTTPStore(f"http://127.0.0.1:{line.port}", connect=False)) as found:
        yield found


def large(store):
    return store.extents("event", "large")


ANSWERS = {
    "find": lambda store: [run.uid for run in store.find(Everything())],
    "some": lambda store: [run.uid for run in store.find(Everything(), limit=27)],
    "read": lambda store: [
        seq_num
        for batch in store.read("event", large(store)[0], ALL, (5, 1_990))
        for seq_num in batch["seq_num"].to_pylist()
    ],
    "read_extents": lambda store: [
        [batch.num_rows for batch in batches]
        for batches in store.read_extents("event", large(store) * 8, ALL)
    ],
    "read_many": lambda store: [
        (page.runs, [(each.runs, each.batch.to_pydict()) for each in page.alike], page.apart)
        for page in store.read_many([*SEVERAL, "none"], "primary", ALL)
    ],
    "read_runs": lambda store: [run.uid for run in store.read_runs(["none", *SEVERAL, "none"])],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_nothing_is_missing_and_nothing_comes_twice(line, cut, name):
    ask = ANSWERS[name]
    line.let_through(10**9)
    wanted = ask(cut)
    line.let_through(PIECE * 8 if name == "read_extents" else PIECE)
    assert ask(cut) == wanted
    assert line.cuts


@pytest.mark.parametrize("name", ANSWERS)
def test_it_ends_where_nothing_comes(line, cut, name):
    line.let_through(10**9)
    extents = large(cut)
    line.let_through(60)
    cut.extents = lambda *_: extents
    with pytest.raises(StoreAway):
        ANSWERS[name](cut)
