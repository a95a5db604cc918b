"""The runs of a broker as a container of Tiled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from types import SimpleNamespace
from typing import Any

from fastapi import HTTPException
from tiled.structures.core import Spec

from ..broker.broker import Broker
from ..errors import DatabrokerError
from ..queries import Key
from ..query.nodes import Everything, In, Path
from .cache import Cache
from .container import Container, Page, in_thread
from .cursors import Cursor, from_number, to_number
from .orders import NewestFirst, Order, order_of
from .queries import translate
from .run import RunEntry

_ALL = Everything()
_UID = Path("uid")


class Runs(Container):
    """The runs of a broker, or those that a search found, by their uids.

    Parameters
    ----------
    broker
        It knows the runs.
    order
        Which comes first; by default the newest one.
    cache
        Streams that were looked at.

    Attributes
    ----------
    sorting
        How Tiled's clients sort runs if they are not told: oldest first, as they mean the newest
        one by ``catalog[-1]``.
    shutdown_tasks
        What the server does when it ends.
    """

    specs = (Spec("CatalogOfBlueskyRuns", version="3.0"),)
    sorting: Sequence[tuple[str, int]] = (("start.time", 1),)
    node = SimpleNamespace(parent=None)  # as access policies look for

    def __init__(
        self, broker: Broker, order: Order | None = None, cache: Cache | None = None
    ) -> None:
        self._broker = broker
        self._order = order or NewestFirst()
        self._cache = cache or Cache()
        self.shutdown_tasks: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._broker.store}>"

    def metadata(self) -> dict[str, Any]:
        return {}

    def child(self, name: str) -> RunEntry:
        record = self._broker.view.record(name)
        if record is None:
            raise KeyError(name)
        return RunEntry(self._broker.run(record), self._cache)

    def page(self, cursor: int | None, limit: int | None) -> Page:
        with _refusing(cursor):
            skip, after = Cursor() if cursor is None else from_number(cursor)
            most = None if limit is None else skip + limit + 1
            found = list(islice(self._order.runs(self._broker.view, after, most), skip, most))
        given = found[:limit]
        items = [(run.uid, RunEntry(self._broker.run(run), self._cache)) for run, _ in given]
        if len(given) == len(found):
            return items, None
        return items, to_number(Cursor(0, given[-1][1]) if given else Cursor(skip, after))

    def cursor_at(self, offset: int) -> int:
        return to_number(Cursor(offset))

    def count(self, most: int | None = None) -> int:
        if most is None:
            return self._broker.view.count(_ALL)
        return sum(1 for _ in self._broker.view.select(_ALL, [_UID], most + 1))

    async def approx_len(self) -> int | None:
        """Return how many runs there are if that is known without a search; else None."""
        view = self._broker.view
        return await in_thread(view.count, _ALL) if view.is_all else None

    # -- searching -------------------------------------------------------

    def search(self, query: Any) -> Runs:
        """Return those of the runs that match a query of Tiled.

        Raises
        ------
        QueryValueError
            It makes no sense.
        """
        node = translate(query, frozenset(spec.name for spec in RunEntry.specs))
        return Runs(self._broker.narrowed(node), self._order, self._cache)

    def sort(self, sorting: Sequence[tuple[str, int]]) -> Runs:
        """Return the runs in the order of some keys."""
        return Runs(self._broker, order_of(sorting), self._cache)

    def read(self, fields: Collection[str] | None = None) -> Runs:
        """Return the runs with some uids only, as exports want it."""
        if fields is None:
            return self
        return Runs(self._broker.narrowed(In(_UID, tuple(fields))), self._order, self._cache)

    def get_distinct(
        self, metadata: Sequence[str], structure_families: bool, specs: bool, counts: bool
    ) -> dict[str, Any]:
        """Return the different values of some keys, with how many runs have each if wanted."""
        found: dict[str, Any] = {}
        if metadata:
            found["metadata"] = {key: self._values(key, counts) for key in metadata}
        runs = self.count(None if counts else 0)
        whole = [{"count": runs if counts else None}] if runs else []
        if structure_families:
            found["structure_families"] = [{"value": self.structure_family} | w for w in whole]
        if specs:
            names = [spec.name for spec in RunEntry.specs]
            found["specs"] = [{"value": names} | w for w in whole]
        return found

    def _values(self, key: str, counts: bool) -> list[dict[str, Any]]:
        found = self._broker.view.distinct(Key(key).path, _ALL)
        return [{"value": value, "count": n if counts else None} for value, n in found]

    async def close(self) -> None:
        """Close the broker."""
        await in_thread(self._broker.close)


@contextmanager
def _refusing(cursor: int | None) -> Iterator[None]:
    """Refuse a cursor that somebody made up: no store knows what is behind it."""
    try:
        yield
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        if cursor is None or isinstance(error, DatabrokerError):
            raise
        raise HTTPException(400, "The cursor is none that this server gave.") from error
