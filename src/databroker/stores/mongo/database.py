"""One database of a server: what is asked of it, with its errors as ours."""

from __future__ import annotations

import contextlib
import os
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    ExecutionTimeout,
)
from pymongo.uri_parser import parse_uri

from ..._util.signals import from_signal
from ...errors import InvalidConfiguration
from ...query.time_limit import check_time, time_limit
from .clients import Client, Clients
from .failures import DUPLICATE, translating
from .hosts import check_hosts

if TYPE_CHECKING:
    from ..base import Store

Doc = dict[str, Any]
Filter = Mapping[str, Any]
Order = Sequence[tuple[str, int]]

PASSWORD = "DATABROKER_MONGO_PASSWORD"
"""The variable of the environment in which the password is, where the address has none."""

BATCH = 4096
"""Documents that are fetched at once; a server gives 16 MB at most."""

_ASKED = 1000  # names in one question

_ADDRESS = re.compile(
    r"(mongodb(?:\+srv)?://)(?:(.*)@)?([^@/?]+)(?:/([^?@]*))?(\?[^@]*)?", re.DOTALL
)
_UNQUOTED = re.compile(r"[@:/?#\[\]\s]")
_SECRETS = re.compile(
    r"(?i)(?<=[?&])(tlsCertificateKeyFilePassword|authMechanismProperties)=[^&]*&?"
)
_HABITS = {
    "appname": "databroker",
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 5_000,
}
"""What is seen to where the address says nothing of it: that nobody waits long in vain."""

_DISK_USE = 9  # the version of the protocol from which on a server may sort on its disk


class Address:
    """Where a database is.

    Examples
    --------
    >>> address = Address("mongodb://ann:s3cret@host/runs?authSource=admin")
    >>> address.name, address.public
    ('mongodb://ann@host/runs', 'mongodb://ann@host/runs?authSource=admin')
    """

    def __init__(self, uri: str) -> None:
        found = _ADDRESS.fullmatch(uri)
        if found is None or not found[4]:
            raise InvalidConfiguration(
                "This is no address of a MongoDB database. Give one like "
                "mongodb://host:27017/name; the name of the database must be in it."
            )
        scheme, credentials, hosts, database, options = found.groups()
        user, _, password = (credentials or "").partition(":")
        if _UNQUOTED.search(f"{user}{password}"):  # which errors of pymongo would show
            raise InvalidConfiguration(
                "The user or the password in this address of a MongoDB database has characters "
                "that mean something in addresses. Write them as `urllib.parse.quote_plus` does: "
                "mongodb://host:27017/name, with the user and the password before the host."
            )
        self.uri = uri
        self.database = database
        self.name = f"{scheme}{user}{'@' * bool(user)}{hosts}/{database}"
        self.public = f"{self.name}{_SECRETS.sub('', options or '').rstrip('&?')}"
        self.lacks_password = bool(user) and not password

    def connect(self) -> Client:
        """Return a client, which reaches the server when it is first asked."""
        given: dict[str, Any] = {
            key: value
            for key, value in _HABITS.items()
            if f"{key}=".lower() not in self.uri.lower()
        }
        if self.lacks_password and PASSWORD in os.environ:
            given["password"] = os.environ[PASSWORD]
        with translating(self.name):
            try:
                if not self.uri.startswith("mongodb+srv:"):  # whose hosts are looked up
                    parse_uri(self.uri)  # since a client that is half made complains
                return MongoClient(self.uri, connect=False, **given)
            except ValueError as error:
                raise ConfigurationError(str(error)) from error


class Database:
    """One database of a server."""

    def __init__(self, uri: str) -> None:
        self.address = Address(uri)
        self.name = self.address.name
        self._clients = Clients(self.name, self.address.connect)
        weakref.finalize(self, self._clients.drop)

    def _collection(self, name: str) -> Collection[Doc]:
        return self._clients.current()[self.address.database][name]

    def reach(self) -> None:
        """See that the server can be asked, and knows the user."""
        check_hosts(self._clients.current(), self.name)
        with self._asking():
            self._clients.current()[self.address.database].command("ping")

    def find(
        self,
        collection: str,
        query: Filter,
        *,
        fields: Filter | None = None,
        order: Order | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[Doc]:
        """Yield documents, fetched some thousand at a time."""
        with self._asking():
            cursor = self._collection(collection).find(
                query,
                fields,
                sort=order,
                skip=skip,
                limit=limit,
                batch_size=min(limit, BATCH) or BATCH,
                max_time_ms=_milliseconds_left(),
            )
            if order is not None and self._may_use_disk():
                cursor = cursor.allow_disk_use(True)
        with cursor:
            while True:
                with self._asking():
                    document = next(cursor, None)
                if document is None:
                    return
                yield document

    def first(self, collection: str, query: Filter, **how: Any) -> Doc | None:
        """Return one document, or None."""
        return next(self.find(collection, query, limit=1, **how), None)

    def aggregate(self, collection: str, stages: Sequence[Filter]) -> list[Doc]:
        """Return what comes of some stages."""
        with self._asking():
            return list(self._collection(collection).aggregate(stages, **_limited()))

    def count(self, collection: str, query: Filter) -> int:
        """Return how many documents there are."""
        with self._asking():
            return self._collection(collection).count_documents(query, **_limited())

    def insert(self, collection: str, documents: Sequence[Doc]) -> bool:
        """Store documents in their order; false if somebody has stored one of them already."""
        with self._asking():
            try:
                self._collection(collection).insert_many(documents)
            except DuplicateKeyError:
                return False
            except BulkWriteError as error:
                if error.details["writeErrors"][0]["code"] != DUPLICATE:
                    raise
                return False
        return True

    def replace(self, collection: str, query: Filter, document: Doc, upsert: bool = False) -> None:
        """Put a document in the place of another one."""
        with self._asking():
            self._collection(collection).replace_one(query, document, upsert)

    def create_index(self, collection: str, keys: Order, **how: Any) -> str:
        """Make an index where there is none like it; return its name."""
        with self._asking():
            return self._collection(collection).create_index(keys, **how)

    def size(self) -> int:
        """Return how many bytes the database takes, with its indexes."""
        found = self._statistics()
        return int(found["storageSize"] + found["indexSize"])

    def state(self) -> tuple[int, ...]:
        """Return how many documents there are, and their bytes: at once, without a look at them."""
        found = self._statistics()
        return int(found["objects"]), int(found["dataSize"])

    def _statistics(self) -> Doc:
        with self._asking():
            return self._clients.current()[self.address.database].command("dbStats")

    def unique_keys(self, collection: str) -> list[set[str]]:
        """Return of which keys the indexes are that let no two alike documents in."""
        with self._asking():
            found = self._collection(collection).index_information().values()
        return [{key for key, _ in each["key"]} for each in found if each.get("unique")]

    def close(self) -> None:
        """Let go of all connections."""
        self._clients.close()

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask something: errors become ours; what an interrupt left behind is not used again."""
        check_time()
        try:
            with translating(self.name):
                yield
        except BaseException as error:
            limit = time_limit()
            if limit is not None and isinstance(error.__cause__, ExecutionTimeout):
                raise limit.exceeded() from error
            if not isinstance(error, Exception) or from_signal(error):
                self._clients.abandon()
            raise

    def _may_use_disk(self) -> bool:
        topology = self._clients.current().topology_description
        versions = [server.max_wire_version for server in topology.server_descriptions().values()]
        return max(versions, default=0) >= _DISK_USE


def _milliseconds_left() -> int | None:
    """Return how long the server may take, if there is a limit."""
    limit = time_limit()
    return None if limit is None else int(limit.left * 1000) + 1


def _limited() -> dict[str, Any]:
    left = _milliseconds_left()
    return {} if left is None else {"maxTimeMS": left}


def in_questions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield so many names at a time as one question may have."""
    return (names[first : first + _ASKED] for first in range(0, len(names), _ASKED))


def reached_or_closed(store: Store) -> None:
    """Reach the server of a store that is being opened; if that fails, leave nothing open."""
    try:
        store.reach()
    except BaseException:
        store.close()
        raise
