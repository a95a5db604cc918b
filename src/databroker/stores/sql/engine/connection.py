"""What is asked of a connection to a database, whichever it is."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from ....errors import StoreUnavailable
from ....query.time_limit import without_limit
from .dialect import Dialect
from .limits import Limits

T = TypeVar("T")
C = TypeVar("C", bound="Connection")
Row = tuple[Any, ...]


class Answer(list[Any]):
    """What came of a statement that was carried out: all its rows."""

    __slots__ = ("changed",)

    def __init__(self, rows: Iterable[Any], changed: int) -> None:
        super().__init__(rows)
        self.changed = changed  # how many rows

    def fetchone(self) -> Any:
        """Return the first row, or None."""
        return self[0] if self else None


class Connection(ABC):
    """The connection of one thread to one database; it opens when it is used.

    A statement has question marks for values. It fetches all its rows at once, and raises
    what `failures.FAILURES` lists if it cannot be carried out.
    """

    dialect: ClassVar[Dialect]

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.paths: dict[tuple[int, str, int], int] = {}  # their numbers; see `search.index`
        self.writing = False  # whether a write of this thread is under way

    @property
    @abstractmethod
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    @abstractmethod
    def begin(self, *, to_write: bool) -> None:
        """Begin a transaction: alone among writers, or to see the database as it is now."""

    @abstractmethod
    def end(self, *, commit: bool) -> None:
        """End the transaction."""

    @abstractmethod
    def execute(self, statement: str, values: Sequence[Any] = ()) -> Answer:
        """Carry out a statement to its end; wait for whoever is in the way."""

    def views(self, statement: str, values: Sequence[Any] = ()) -> Answer:
        """Do what `execute` does; bytes may be views of what was received, for all of them at once.

        So large ones need not be copied.
        """
        return self.execute(statement, values)

    def change(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Carry out a statement of which nothing is to be known, in `together` with others."""
        self.execute(statement, values)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Carry out what is changed within in one round trip, at its end; within a transaction.

        No row may be changed twice, and what is asked within does not see the changes.
        """
        yield

    @abstractmethod
    def append(self, row: Row, series: int, sealed: int) -> bool:
        """Store key, seq_num and body of a row in the tail, unless somebody seals it meanwhile.

        Tell whether its place was free, and so many rows of its series are in blocks.
        """

    @abstractmethod
    def state(self) -> Hashable:
        """Return what is another value once something was committed, by whomever."""

    @contextlib.contextmanager
    def listening(self) -> Iterator[Callable[[float], object]]:
        """Have what waits for so many seconds, or less if it is told that somebody has written."""
        yield time.sleep

    @abstractmethod
    def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement for each of some values."""

    @abstractmethod
    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> list[int]:
        """Store rows in a table, given with its columns; return the numbers that they are given."""

    @abstractmethod
    def insert_rows(self, table: str, rows: Sequence[Row], are_new: bool) -> None:
        """Store rows in a table, given with its columns; where not all are new, unless there."""

    @abstractmethod
    def abandon(self) -> None:
        """Roll back what is not committed, and be ready for the next statement."""

    def storing_much(self) -> contextlib.AbstractContextManager[None]:
        """Prepare for a transaction of very many rows."""
        return contextlib.nullcontext()


class Connections(ABC):
    """Gives each thread of each process its own connection to one database."""

    limits: Limits
    read_only: bool
    name: str  # of the database, as people are told

    @abstractmethod
    def get(self) -> Connection:
        """Return the connection of this thread, for reading."""

    @abstractmethod
    def write(self, job: Callable[[Connection], T]) -> T:
        """Do a write, alone in this process, and leave nothing open whatever is raised."""

    @abstractmethod
    def close(self) -> None:
        """Close the connections of this process.

        What another thread is asking at this very moment is answered first.
        """

    def _alone(self, job: Callable[[C], T], connection: C) -> T:
        """Do something with a connection, in which nothing else may come."""
        if connection.writing:
            raise StoreUnavailable(
                f"Something was inserted into {self.name} from within another insert, by the "
                "handler of a signal perhaps. It was not stored; insert it afterwards."
            )
        self._prepare(connection)
        connection.writing = True
        try:
            with without_limit():  # an index that takes longer would never be made
                return job(connection)
        except BaseException:
            # Python sees to signals after calls. So no other interrupt comes before all this
            # is done, and what was learnt in a transaction is forgotten before it is rolled back.
            connection.paths = {}
            connection.abandon()
            raise
        finally:
            connection.writing = False

    def _prepare(self, connection: Any) -> None:
        """See to it that a connection can write, and that an interrupt left nothing in it."""
        connection.abandon()


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Write several things as one; wait for other writers first.

    Within `Connections.write`, which rolls back whatever is raised, wherever it is. Within
    another one, it is a part of that.
    """
    if connection.in_transaction:
        yield
        return
    connection.begin(to_write=True)
    yield
    connection.end(commit=True)


@contextlib.contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """See the database as it is now in all looks within, whatever others write meanwhile.

    It must be short: what others replace is kept until it ends. Within a
    transaction, which is such a view already, it does nothing.
    """
    if connection.in_transaction:
        yield
        return
    try:
        connection.begin(to_write=False)
        yield
    finally:
        if connection.in_transaction:
            connection.end(commit=False)


def fetch(connection: Connection, statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """Return all rows of a query, so that no transaction stays open."""
    return connection.execute(statement, values)
