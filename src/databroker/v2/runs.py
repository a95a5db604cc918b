"""A broker's runs as a mapping from uids to runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from .._util.printable import printable
from ..errors import DatabrokerError, NoSuchRun
from ..query.nodes import Everything
from ..query.parse import from_keywords
from ..runs.absent import explain_nothing
from ..runs.lookup import look_up
from ..runs.pipeline import checked_limit
from .run import BlueskyRun
from .stream import description

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..stores.base import RunRecord

_SHOWN = 10
_OFFERED = 100  # uids in tab completion


class Catalog:
    """Runs by their uid, newest first; obtained as ``db.v2`` or ``databroker.catalog[name]``.

    Parameters
    ----------
    db
        The broker whose runs these are.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> for n in (1, 2):
    ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "scan_id": n})
    >>> db.v2["run 1"], list(db.v2.search({"scan_id": 2})), len(db.v2)
    (<BlueskyRun uid='run 1'>, ['run 2'], 2)
    """

    container = "catalog"
    """What it is, in the words of databroker 1.x."""

    def __init__(self, db: Broker) -> None:
        self.v1 = db
        self.name = db.name if db.view.is_all else "search results"
        self.metadata: dict[str, Any] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Catalog):
            return NotImplemented
        return self.v1.view == other.v1.view

    def __hash__(self) -> int:
        return hash(self.v1.store)

    @property
    def v2(self) -> Catalog:
        """The catalog itself."""
        return self

    def search(self, query: Any = None, *, limit: int | None = None) -> Catalog:
        """Return the runs of this catalog that match, as a catalog.

        Parameters
        ----------
        query
            A Mongo-style dictionary, a query of `databroker.queries`, or words.
        limit
            How many at most, the newest first. It bounds what is found, so a
            search in the result does not go beyond it.

        Raises
        ------
        InvalidQuery
            The search makes no sense; the message says what would.
        """
        node = from_keywords(query, {}, self.v1.zone)
        most = None if limit is None else checked_limit(limit)
        return Catalog(self.v1.narrowed(node, most))

    def __getitem__(self, key: Any) -> Any:
        """Return the run of a uid, its beginning, a scan_id or a negative index."""
        return self._opened(look_up(self.v1.view, key))

    def __contains__(self, key: object) -> bool:
        try:
            look_up(self.v1.view, key)
        except (DatabrokerError, TypeError, ValueError):
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        uid = None
        for record in self._records():
            yield (uid := record.uid)
        if uid is None:
            explain_nothing(self.v1.store, self.v1.view.query)

    def __len__(self) -> int:
        return self.v1.view.count(Everything())

    def keys(self) -> Iterator[str]:
        """Yield the uids, newest first."""
        return iter(self)

    def values(self) -> Iterator[BlueskyRun]:
        """Yield the runs, newest first."""
        return (self._opened(record) for record in self._records())

    def items(self) -> Iterator[tuple[str, BlueskyRun]]:
        """Yield (uid, run), newest first."""
        return ((record.uid, self._opened(record)) for record in self._records())

    def get(self, key: Any = None, default: Any = None) -> Any:
        """Return the run of a key, or the default; without a key, the catalog itself."""
        if key is None:
            return self
        try:
            return self[key]
        except NoSuchRun:
            return default

    def __call__(self) -> Catalog:
        """Return the catalog itself."""
        return self

    def describe(self) -> dict[str, Any]:
        """Return what the catalog is, in the words of a catalog's entry."""
        return description(self.name, self.container, "catalog", type(self), self.metadata)

    def force_reload(self) -> None:
        """Do nothing: a catalog is always current."""

    def cache_clear(self) -> None:
        """Do nothing: a catalog keeps no runs."""

    @property
    def _entries(self) -> Catalog:
        """The catalog itself: old programs clear what it kept, ``_entries.cache_clear()``."""
        return self

    @property
    def root_map(self) -> dict[str, str]:
        """Where files are now, by the root under which they were recorded."""
        return self.v1.registry.root_map

    @property
    def handler_registry(self) -> Mapping[str, Any]:
        """The handler of each spec."""
        return self.v1.registry.handler_reg

    def register_handler(self, spec: str, handler: Any, overwrite: bool = False) -> None:
        """Say which handler opens the resources of a spec; see `Registry.register_handler`."""
        self.v1.registry.register_handler(spec, handler, overwrite)

    def deregister_handler(self, spec: str) -> None:
        """Forget the handler of a spec, if there is one."""
        self.v1.registry.deregister_handler(spec)

    def __repr__(self) -> str:
        return printable(f"<Catalog: {self.name}>")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from ..display.text import runs_text

        printer.text(repr(self))
        if len(printer.stack) == 1 and (newest := self._newest()):
            for line in runs_text(newest, self.v1.zone).splitlines():
                printer.break_()
                printer.text(line)

    def _repr_html_(self) -> str:
        from ..display.html import results_html

        rows = self._newest()
        title = "Search results" if self.name == "search results" else f"Catalog {self.name}"
        return results_html(rows, len(self) - len(rows), self.v1.zone, title=title)

    def _newest(self) -> list[tuple[dict[str, Any], str]]:
        newest = islice(self._records(), _SHOWN)
        return [(run.start, self.v1.session.of(run).status(run.uid, run.stop)) for run in newest]

    def _ipython_key_completions_(self) -> list[str]:
        return list(islice(self, _OFFERED))

    def _records(self) -> Iterator[RunRecord]:
        return self.v1.view.find(Everything())

    def _opened(self, found: Any) -> Any:
        if isinstance(found, list):
            return [self._opened(item) for item in found]
        return BlueskyRun(self.v1.run(found), self)
