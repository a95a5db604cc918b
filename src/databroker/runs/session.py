"""What runs, streams and results know of the broker that they came from.

A `Session` holds the runs that it sees, what opens their files, and how documents are changed
and times shown.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..external.import_path import imported
from ..query.nodes import Equals, Everything, In, Node, Path, UidPrefix
from ..stores.base import RunRecord, Store
from ..stores.facts import run_status
from ..times import resolve_zone

if TYPE_CHECKING:
    from ..external.registry import Registry

_UID = Path("uid")


class Transforms:
    """Functions from a document to a document by kind, or where to import them from.

    What they return, those of others (`then`) may change further.

    Examples
    --------
    >>> transform = Transforms({"start": lambda doc: {**doc, "sample": "Ni"}})
    >>> transform("start", {"uid": "a"}), transform("stop", {"uid": "b"})
    ({'uid': 'a', 'sample': 'Ni'}, {'uid': 'b'})
    """

    def __init__(
        self, functions: Mapping[str, Any] | None = None, then: Transforms | None = None
    ) -> None:
        self._functions = dict(functions or {})
        self._then = then

    def __contains__(self, kind: str) -> bool:
        later = self._then is not None and kind in self._then
        return later or self._functions.get(kind) is not None

    def __call__(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        """Return the document as it is to be read."""
        function = self._functions.get(kind)
        if function is not None:
            document = imported(function, f"transforms: {kind}")(document)
        return document if self._then is None else self._then(kind, document)


@dataclass(frozen=True)
class StoreView:
    """The runs of a store that match a query, asked as the store itself is.

    Each question is put to the store anew, so runs that arrive later are seen.

    Examples
    --------
    >>> from databroker.stores.memory import MemoryStore
    >>> store = MemoryStore()
    >>> for n in range(3):
    ...     store.insert("start", {"uid": f"run {n}", "time": float(n), "scan_id": n})
    >>> newest = StoreView(store).narrowed(Everything(), limit=2)
    >>> [run.uid for run in newest.find(Everything())], newest.record("run 0")
    (['run 2', 'run 1'], None)
    """

    source: Store | StoreView
    query: Node = field(default_factory=Everything)
    limit: int | None = None

    @property
    def store(self) -> Store:
        """The store that all the runs are in."""
        return self.source.store if isinstance(self.source, StoreView) else self.source

    @property
    def is_all(self) -> bool:
        """Whether every run of the source belongs to it."""
        return self.limit is None and self.query == Everything()

    def narrowed(self, query: Node, limit: int | None = None) -> StoreView:
        """Return the runs among these that match, the newest `limit` of them."""
        if self.limit is None:
            return StoreView(self.source, self.query & query, limit)
        return StoreView(self, query, limit)

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        """Yield the runs that match, newest first."""
        return self.source.find(self._within(query), limit=limit, after=after)

    def count(self, query: Node) -> int:
        """Return how many runs match."""
        return self.source.count(self._within(query))

    def record(self, uid: str) -> RunRecord | None:
        """Return the run of this full uid, or None."""
        if self.is_all:
            return self.source.record(uid)
        return next(self.find(Equals(_UID, uid), limit=1), None)

    def resolve(self, prefix: str, limit: int) -> list[str]:
        """Return the uids that begin with ``prefix``, sorted, at most ``limit``."""
        if self.is_all:
            return self.source.resolve(prefix, limit)
        found = self.source.select(self._within(UidPrefix(prefix)), [_UID])
        return sorted(uid for (uid,) in found)[:limit]

    def select(
        self, query: Node, paths: Sequence[Path], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the values at some paths of the runs that match, newest first."""
        return self.source.select(self._within(query), paths, limit)

    def distinct(self, path: Path, query: Node) -> list[tuple[Any, int]]:
        """Return each value at a path, and how many of the matching runs have it."""
        return self.source.distinct(path, self._within(query))

    def _within(self, query: Node) -> Node:
        """Return what a run of the source must match to be one of these and match a query."""
        if self.limit is None:
            return self.query & query
        # Only the newest few count, and of those the ones that match.
        newest = self.source.select(self.query, [_UID], self.limit)
        return In(_UID, tuple(uid for (uid,) in newest)) & query


@dataclass(frozen=True)
class Source:
    """How the runs of one source are read.

    Attributes
    ----------
    registry, transforms
        What opens their files, and what changes their documents.
    name
        What the source is called.
    configuration
        The name of the configuration that says all this, if one does.
    members
        Those of several sources by their names, each as its own configuration has it.
    """

    registry: Registry
    transforms: Transforms
    name: str | None = None
    configuration: str | None = None
    members: Mapping[str, Source] = field(default_factory=dict)

    def changes(self, *kinds: str) -> bool:
        """Tell whether documents of some kinds are changed as they are read, from any source."""
        here = any(kind in self.transforms for kind in kinds)
        return here or any(member.changes(*kinds) for member in self.members.values())

    def close(self) -> None:
        """Close the files that were opened."""
        self.registry.close()
        for member in self.members.values():
            member.close()


@dataclass(frozen=True)
class Session:
    """Where documents are, how they and their files are read, and how times are shown.

    A run of one of several sources has a session of that source alone; `whole` is then the
    session of all of them.
    """

    view: StoreView
    source: Source
    timezone: str | datetime.tzinfo | None = None
    _all: Session | None = field(default=None, repr=False)

    @property
    def whole(self) -> Session:
        """The session in which the run was found."""
        return self._all or self

    @property
    def one_of_several(self) -> str | None:
        """The name of the source where there are several."""
        return None if self._all is None else self.source.name

    @property
    def store(self) -> Store:
        """The whole store, of which `view` may be a part."""
        return self.view.store

    @property
    def registry(self) -> Registry:
        """Handlers, and where files are now."""
        return self.source.registry

    @property
    def transforms(self) -> Transforms:
        """What changes documents as they are read."""
        return self.source.transforms

    @property
    def zone(self) -> datetime.tzinfo:
        """The time zone in which bounds are read and times are shown."""
        return resolve_zone(self.timezone)

    def of(self, record: RunRecord) -> Session:
        """Return the session of the source of a run that was found."""
        session = self
        for depth, name in enumerate(record.source, 1):
            store = session.store.members[name]
            source = session.source.members.get(name)
            if source is None:  # they are all read alike
                source = replace(session.source, name="/".join(record.source[:depth]))
            session = Session(StoreView(store), source, self.timezone, self.whole)
        return session

    def of_run(self, uid: str) -> Session:
        """Return the session of the source of a run."""
        record = self.store.record(uid) if self.source.members else None
        return self if record is None else self.of(record)

    def narrowed(self, query: Node, limit: int | None = None) -> Session:
        """Return the same for those runs that match, the newest `limit` of them."""
        return replace(self, view=self.view.narrowed(query, limit))

    def status(self, uid: str, stop: Mapping[str, Any] | None) -> str:
        """Return how a run stands: 'success', 'abort', 'fail', 'running', 'waiting', 'unknown'."""
        return run_status(self.store, uid, stop)
