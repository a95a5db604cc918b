"""A database finds what the memory store finds, in its order, whatever is asked of whatever runs.

The memory store asks the evaluator about every run, so it is the meaning of a question; SQLite
and PostgreSQL ask their indexes, and the evaluator about what these leave open. Two stores that
are asked as one put together what each of them finds.
"""

import itertools
import shutil
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path as File
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from databroker.documents.files.jsonl import JSONLines, loads
from databroker.query import nodes as n
from databroker.stores.federation import FederatedStore
from databroker.stores.files import JSONLStore, MsgpackStore
from databroker.stores.memory import MemoryStore
from databroker.stores.mongo.documents import Packed, unpack_document
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.limits import Limits
from databroker.stores.sql.postgresql import PostgreSQLStore
from databroker.testing import difference, strategies
from databroker.testing.conformance.base import insert_all, quick
from databroker.testing.questions import questions, walk
from helpers import mongo
from helpers import strategies as made
from helpers.federation import by_owner, spread
from helpers.postgresql import Schemas

asked = Counter()

# With few runs a store of millions is only met if it loses its patience at once.
IMPATIENT = Limits(
    few=2,
    walked=(1, 2),
    walk_patience=(2, 1.1),
    read=(1, 2),
    read_patience=(1, 1.1),
    apart=2,
    values=2,
    texts=1,
    few_documents=0,
    leaves=100,
)
# A little index, whose filters err often: as for documents that are a million times as large.
FORGETFUL = [
    ("index_terms", {"MAX_LEAVES": 2, "MAX_WORDS": 1, "MAX_ARRAY": 1}),
    ("name_filter", {"_checksum": lambda name: len(name) % 3}),
]
moods = st.tuples(st.sampled_from([Limits(), IMPATIENT]), st.sampled_from([(), FORGETFUL]))
NODES = {
    node
    for node in (getattr(n, name) for name in n.__all__)
    if isinstance(node, type) and issubclass(node, n.Node) and node is not n.Node
}


class OnSQLite:
    """Stores in files, whose documents come one by one."""

    def __init__(self, folder):
        self._paths = (folder / f"{number}.db" for number in itertools.count())

    @contextmanager
    def holding(self, documents, limits):
        path = next(self._paths)
        with closing(SQLiteStore(path, limits=limits)) as store:
            insert_all(store, documents)
            yield store
        for end in ("", "-wal", "-shm"):
            File(f"{path}{end}").unlink(missing_ok=True)


class OnTwo:
    """Two stores, one in a file, which have some of the runs both."""

    def __init__(self, folder):
        self._files = OnSQLite(folder)

    @contextmanager
    def holding(self, documents, limits):
        here, there = MemoryStore(), spread(documents)
        insert_all(here, there["here"])
        with self._files.holding(there["there"], limits) as file:
            yield FederatedStore({"here": here, "there": file})


class OnPostgreSQL:
    """Stores in a schema that is emptied each time, whose documents come together."""

    def __init__(self, address):
        self._address, self._schemas = address, Schemas(address)

    @contextmanager
    def holding(self, documents, limits):
        schema = self._schemas.take()
        with closing(PostgreSQLStore(self._address, schema=schema, limits=limits)) as store:
            store.insert_many(documents)
            yield store
        self._schemas.give_back([schema])


class OnMongo:
    """Databases of a MongoDB server."""

    def __init__(self, new_database):
        self._new_database = new_database

    @contextmanager
    def holding(self, documents, limits):
        with closing(mongo.store_class()(self._new_database())) as store:
            store.insert_many(documents)
            yield store


class OnFiles:
    """Folders of files, of which an index is made that is complete when it is searched."""

    def __init__(self, folder, store):
        self._paths = (folder / f"{number}" for number in itertools.count())
        self._store = store

    @contextmanager
    def holding(self, documents, limits):
        path = next(self._paths)
        with closing(self._store(path)) as store:
            store.insert_many(documents)
        with closing(self._store(path, index=False)) as store:
            yield store
        shutil.rmtree(path)


def _documents(draw, starts):
    """Complete drawn metadata to runs, some of which have descriptors and a stop."""
    times = draw(
        st.lists(
            st.sampled_from([1.0, 1.0, 2.5, 3.0, 9.0]), min_size=len(starts), max_size=len(starts)
        )
    )
    prefixes = ("aa", "ab", "b")
    found = []
    for number, (doc, time) in enumerate(zip(starts, times, strict=True)):
        uid = f"{prefixes[number % 3]}-{number}"
        found.append(("start", doc | {"uid": uid, "time": time}))
        for key in draw(st.sets(st.sampled_from(["det", "motor"]))):
            keys = {key: {"source": "", "dtype": "number", "shape": []}}
            found.append(("descriptor", {"uid": uid + key, "run_start": uid, "data_keys": keys}))
        if draw(st.booleans()):
            ids = {"uid": f"stop-{number}", "run_start": uid, "time": time}
            found.append(("stop", draw(made.documents) | ids))
    return draw(st.permutations(found))


def _agree(place, documents, queries, keys, mood):
    memory = MemoryStore()
    kept = _kept(documents)
    insert_all(memory, by_owner(kept) if isinstance(place, OnTwo) else kept)
    limits, patched = mood
    with ExitStack() as stack:
        for module, values in patched:
            module = f"databroker.stores.sql.search.{module}"
            stack.enter_context(mock.patch.multiple(module, **values))
        database = stack.enter_context(place.holding(documents, limits))
        for query in queries:
            wanted = [run.uid for run in memory.find(query)]
            found = [run.uid for run in database.find(query)]
            assert found == wanted, f"{query!r} finds {found}, not {wanted}"
            assert database.count(query) == len(wanted), query
            assert [run.uid for run in database.find(query, limit=2)] == wanted[:2], query
            asked["questions"] += 1
            asked["found some, not all"] += 0 < len(wanted) < memory.count(n.Everything())
            asked.update({type(node): 1 for node in walk(query)})
        for key in keys:
            query = queries[0] if queries else n.Everything()
            one, other = (store.distinct(key, query) for store in (database, memory))
            assert _typed(one) == _typed(other), (key, query)
            rows = [[[*row] for row in store.select(query, [key])] for store in (database, memory)]
            assert difference(*rows) is None, (key, query)
            asked["values"] += 1
        assert not database.check().findings


def _typed(rows):
    return [(type(value), value, count) for value, count in rows]


def test_any_question_about_any_runs_in_sqlite(tmp_path):
    _ask(OnSQLite(tmp_path), 90, 30)
    # Thousands, no kind of node left out, and enough of them told runs apart.
    assert asked["questions"] > 1_400
    assert asked["values"] > 120
    assert {node for node in NODES if not asked[node]} == set()


def test_any_question_about_any_runs_in_two_stores(tmp_path):
    _ask(OnTwo(tmp_path), 14, 7)
    assert asked["questions"] > 200
    with mock.patch.multiple("databroker.stores.federation.store", _FEW=0):
        _ask(OnTwo(tmp_path), 7, 7)


def test_any_question_about_any_runs_in_postgresql(postgresql):
    _ask(OnPostgreSQL(postgresql), 16, 8)
    assert asked["questions"] > 200


def test_any_question_about_any_runs_in_files_of_msgpack(tmp_path):
    _ask(OnFiles(tmp_path, MsgpackStore), 16, 8)
    assert asked["questions"] > 200


def test_any_question_about_any_runs_in_files_of_json(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}._kept", _as_json)
    _ask(OnFiles(tmp_path, JSONLStore), 16, 8)
    assert asked["questions"] > 200


def test_any_question_about_any_runs_in_mongo(new_database, monkeypatch):
    monkeypatch.setattr(f"{__name__}._kept", _as_bson)
    _ask(OnMongo(new_database), 12, 6)
    assert asked["questions"] > 150


def _kept(documents):
    return documents


def _as_bson(documents):
    return [(kind, unpack_document(Packed(kind, doc).document)) for kind, doc in documents]


def _as_json(documents):
    lines = [JSONLines().encode(*pair) for pair in documents]
    return [tuple(loads(line)) for line in lines]


def _ask(place, odd, plain):
    asked.clear()
    for ask, examples in ((ask_odd_documents, odd), (ask_about_what_is_there, plain)):
        quick(examples)(given(data=st.data())(ask))(place)
    assert asked["found some, not all"] > asked["questions"] / 20


def ask_odd_documents(place, data):
    starts = data.draw(st.lists(made.documents, min_size=1, max_size=8))
    documents = _documents(data.draw, starts)
    queries = data.draw(st.lists(made.queries, min_size=12, max_size=25))
    keys = data.draw(st.lists(made.paths, max_size=4))
    document = data.draw(st.sampled_from(["start", "stop"]))
    keys = [n.Path(key, document) for key in keys]
    _agree(place, documents, queries, keys, data.draw(moods))


def ask_about_what_is_there(place, data):
    starts = data.draw(st.lists(strategies.starts(), min_size=2, max_size=8))
    documents = [("start", doc) for doc in starts]
    queries = data.draw(st.lists(questions(starts), min_size=12, max_size=25))
    keys = [n.Path("sample"), n.Path("T"), n.Path("motors")]
    _agree(place, documents, queries, keys, data.draw(moods))
