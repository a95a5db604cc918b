"""The PostgreSQL store: documents in a schema of a shared database."""

from __future__ import annotations

import functools
from typing import Any

from ...errors import StoreIsReadOnly
from ..base import Capabilities
from .engine.limits import DEFAULT, Limits
from .engine.postgresql.connections import PostgreSQLConnections, without_password
from .engine.postgresql.tables import size_of
from .store import SQLStore
from .writing import Writer


class PostgreSQLStore(SQLStore):
    """Documents in one schema of a PostgreSQL database.

    Parameters
    ----------
    uri
        Where the database is: ``postgresql://user@host/name``. A password is best kept in
        ``~/.pgpass`` or the environment (``PGPASSWORD``): what is pickled, for another process,
        has none.
    schema
        The schema, which is made where there is none.
    read_only
        Refuse to write.
    connect
        Whether to reach the server at once; otherwise that is done when it is first asked.
    limits
        How much is done at once: others than these are for tests.

    Raises
    ------
    InvalidConfiguration
        ``uri`` is no address of a database.
    StoreAway
        The server cannot be reached.
    StoreUnavailable
        It refuses, or is not there.
    ForeignStore
        The schema belongs to another program or to a newer databroker.
    """

    def __init__(
        self,
        uri: str,
        *,
        schema: str = "databroker",
        read_only: bool = False,
        connect: bool = True,
        limits: Limits = DEFAULT,
    ) -> None:
        super().__init__()
        self._options: dict[str, Any] = {
            "read_only": read_only,
            "connect": connect,
            "limits": limits,
        }
        self.schema = schema
        self._connections: PostgreSQLConnections = PostgreSQLConnections(
            uri, schema, read_only, limits
        )
        self._name, self._uri = self._connections.name, uri
        self._writer = Writer(self._connections)
        if connect:
            self.reach()

    def reach(self) -> None:
        """See that the server can be asked; see `Store.reach`."""
        self._connections.reach()

    def size(self) -> int:
        """Return how many bytes the tables take, with their indexes."""
        return size_of(self._connections.get(), self.schema)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What this store can do."""
        return Capabilities(
            not self._connections.read_only, shared=True, exact="exact", live=True, backup=False
        )

    def __str__(self) -> str:
        return f"postgresql: {self._name}"

    def __reduce__(self) -> Any:
        make = functools.partial(PostgreSQLStore, schema=self.schema, **self._options)
        return make, (without_password(self._uri),), {"stale_after": self.stale_after}

    def _read_only(self) -> StoreIsReadOnly:
        return StoreIsReadOnly(f"{self._name} is open for reading only.")
