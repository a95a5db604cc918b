"""What stands in for a MongoDB server, as none can be had: servers that are wrong elsewhere."""

import contextlib
import math
import os
import socket
import subprocess
import sys
import time
import uuid

import pymongo

from databroker.documents.encode import encode
from databroker.stores.mongo.database import Database
from databroker.stores.mongo.documents import EXACT
from databroker.stores.mongo.embedded import MongoEmbeddedStore
from databroker.stores.mongo.indexes import UNIQUE
from databroker.stores.mongo.layout import ODD
from databroker.stores.mongo.normalized import MongoNormalizedStore

VARIABLE = "DATABROKER_TEST_MONGO"


def free_port():
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Nx:
    """The server nx-27017, as a process that can be killed and started again.

    Without its data in files, it is faster, and forgets all.
    """

    def __init__(self, folder, in_files=True):
        self.folder = folder
        self._data = f"{folder}/data" if in_files else "memory"
        self.port = free_port()
        self.address = f"mongodb://127.0.0.1:{self.port}"
        self._process = None

    def start(self):
        """Start it; return when it answers."""
        files = [f"--{kind}-file={self.folder}/nx.{kind}" for kind in ("log", "pid")]
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "nx_27017.nx_27017",
            "--port",
            str(self.port),
        ]
        self._process = subprocess.Popen(
            [*command, f"--data-dir={self._data}", "-j", "MEMORY", *files],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise AssertionError("nx-27017 does not start")

    def kill(self):
        """Kill it, as a crash does."""
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def nx(folder, in_files=True):
    """Have a server for some tests."""
    server = Nx(folder, in_files)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def address(folder):
    """Have the address of a server: of one that is named by the environment, or of a stand-in."""
    if VARIABLE in os.environ:
        yield os.environ[VARIABLE]
        return
    with nx(folder, in_files=False) as server:
        yield server.address


class NxDatabase(Database):
    """A database of nx-27017, with what that does otherwise than MongoDB put right.

    It takes no number that is not finite, and no index with its own ids. Of fields in fields that
    are asked for, it sends the value beside the others, under the whole path; in lists, none. Where
    arrays may be, what it finds by the order of values, `$exists` and `$size` is not all.
    """

    def find(self, collection, query, **how):
        """Yield documents."""
        fields = how.get("fields")
        if collection == "header" and fields:
            how["fields"] = {path.partition(".")[0]: 1 for path in fields}
        paths = [path for path in how.get("fields") or () if "." in path]
        for found in super().find(collection, _weakened(query), **how):
            for path in paths:
                outer, _, inner = path.partition(".")
                section = found.setdefault(outer, {})
                if path in found:
                    section[inner] = found.pop(path)
            yield found

    def create_index(self, collection, keys, **how):
        """Make an index, but none with the server's own id: nothing could be inserted then."""
        if any(key == "_id" for key, _ in keys):
            return str(keys)
        return super().create_index(collection, keys, **how)

    def insert(self, collection, documents):
        """Store documents."""
        finite = [_finite(document) for document in documents]
        if collection in ("run_start", "run_stop"):
            for one, other in zip(documents, finite, strict=True):
                if repr(one) != repr(other):
                    run = {"uid": one["uid" if collection == "run_start" else "run_start"]}
                    self.replace(ODD.collection, run, dict(run), upsert=True)
        return super().insert(collection, finite)


_MISSES = {"$lt", "$lte", "$exists", "$size"}
_RIGHT = {"_id", "uid", "time"}  # which are no arrays


def _weakened(query):
    """Return a filter that leaves out what nx-27017 does not know, or finds too little by."""
    if isinstance(query, list):
        return [_weakened(each) for each in query]
    weak = {}
    for key, value in query.items():
        if key in ("$or", "$and"):
            weak[key] = _weakened(value)
        elif key == "$expr" or (key not in _RIGHT and _misses(key, _operators(value))):
            continue
        elif "$type" in _operators(value):
            weak["_id"] = None  # which nothing is
        else:
            weak[key] = value
    return weak


def _misses(key, operators):
    """Tell whether it finds too little by these; by `$gt`, it takes arrays for large numbers."""
    if "." in key or isinstance(operators.get("$gt", operators.get("$gte")), str):
        return bool(operators.keys() & {*_MISSES, "$gt", "$gte"})
    return bool(operators.keys() & _MISSES)


def _operators(value):
    return value if isinstance(value, dict) else {}


def _finite(value):
    if isinstance(value, float):
        return value if math.isfinite(value) else {EXACT: encode(value)}
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value


class NxStore(MongoNormalizedStore):
    """A store on nx-27017."""

    database = NxDatabase


class NxEmbeddedStore(MongoEmbeddedStore):
    """A store of the embedded layout on nx-27017."""

    database = NxDatabase


def store_class():
    """Return what the tests open: on a true server, it is ours as it is."""
    return MongoNormalizedStore if VARIABLE in os.environ else NxStore


@contextlib.contextmanager
def new_databases(address):
    """Have what gives addresses of new databases; nothing is left of them."""
    taken = []

    def take():
        taken.append(f"t{uuid.uuid4().hex[:12]}")
        return address_of(address, taken[-1])

    yield take
    with pymongo.MongoClient(address) as client:
        for name in taken:
            client.drop_database(name)


def address_of(server, name):
    """Return the address of a database; that of the server may have options."""
    place, question, options = server.partition("?")
    return f"{place.rstrip('/')}/{name}{question}{options}"


def with_indexes(store):
    """Return a store in which a document that two write at once is kept once."""
    store.create_indexes(UNIQUE)
    return store
