"""The contract between where documents live and who asks: what every store can do.

An *owner* is the uid of the document that a series of rows belongs to: a descriptor owns
events, a resource owns datum documents, a stream resource owns stream datum documents.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .._util.lazy import lazy_module
from .._util.polling import wait_until
from .._util.signals import from_signal
from ..documents.identity import last_time
from ..documents.kinds import OWNER, ROWS, Document
from ..errors import InvalidDocument, NotSupported
from ..query.nodes import Equals, Everything, Path, UidPrefix
from ..query.paths import key_paths
from ..query.projection import Keyed, distinct_values, ranked, value_at
from .activity import Activity
from .capabilities import Capabilities as Capabilities
from .changes import ChangeNotices
from .external import ExternalContract
from .groups import Accepted, Group
from .record import RunRecord as RunRecord
from .rows import each_extent, last_event
from .waiting import Waiting

if TYPE_CHECKING:
    import pyarrow as pa

    from ..columns import Selection
    from ..documents import accept
    from ..query.nodes import Node
    from .checking import CheckProgress, CheckReport
    from .contents import Outline, StoredRun
    from .many import RunsPage
    from .rows import Extent
else:
    accept = lazy_module("databroker.documents.accept")  # which needs NumPy: to open does not

LINKED = ("descriptor", "resource", "stream_resource")
"""The kinds of documents that belong to a run, one by one, besides its start and stop."""

_UID = Path("uid")
_LOOKED_AT = 100  # of the newest runs, for the keys that there are
EVERY = 2**53  # more runs than any store has

STALE_AFTER = 3600.0
"""Seconds after which a run that has fallen silent no longer counts as running."""


class Store(ExternalContract, ABC):
    """Where documents live.

    A store is used from several threads. It pickles as its configuration,
    unless it has nothing to reopen (the memory store), which it says.

    Attributes
    ----------
    capabilities
        What it can do beyond reading.
    members
        The stores that it asks, by name, if it stands for several.
    left_out
        The names of those that are away, and not asked for now.
    stale_after
        Seconds after which a run that has fallen silent no longer counts as running.
    group_size
        How many small documents `insert_many` keeps at once, so long as they come fast.
        Other writers may wait for that.
    """

    capabilities = Capabilities()
    members: Mapping[str, Store] = MappingProxyType({})
    left_out: tuple[str, ...] = ()
    stale_after: float = STALE_AFTER
    group_size = 16_000

    def __init__(self) -> None:
        self._changes = ChangeNotices()

    # -- writing ---------------------------------------------------------

    def insert(self, kind: str, doc: Document) -> None:
        """Keep one document; return when it survives a crash of this process.

        Parameters
        ----------
        kind
            A name of the event model: 'start', 'descriptor', 'event', 'event_page', ...
        doc
            The document. It is copied, never changed.

        Raises
        ------
        UnknownDocumentKind
            ``kind`` is not in the event model.
        InvalidDocument
            A required key is missing or has an impossible value.
        ConflictingDocument
            A different document with the same identity is stored.
        UnknownDescriptor
            An event whose descriptor was never inserted.
        """
        clean, changes = accept.accept(kind, doc)
        self.put(kind, clean)
        self._changes.saw(kind, clean, changes)

    def insert_many(self, documents: Iterable[tuple[str, Document]]) -> None:
        """Keep many documents in their order: as `insert` one by one, but sooner where it can be.

        When one of them is refused, those before it are kept. After any other error, and
        an interrupt, insert all of them again: what is there already changes nothing.

        Parameters
        ----------
        documents
            Pairs of a kind and a document, taken as they come.

        Raises
        ------
        InvalidDocument
            As `insert` says.
        """
        group = Group(self._put_group, self.group_size)
        try:
            for kind, doc in documents:
                group.add(Accepted(kind, *accept.accept(kind, doc)))
        except Exception as error:
            if not from_signal(error):
                group.flush()
            raise
        group.flush()

    def _put_group(self, documents: list[Accepted]) -> None:
        """Keep a group of documents at once or, where one is refused, those before it."""
        try:
            self.put_many([(kind, doc) for kind, doc, _ in documents])
        except InvalidDocument:
            for kind, doc, changes in documents:
                self.put(kind, doc)
                self._changes.saw(kind, doc, changes)
        else:
            for each in documents:
                self._changes.saw(*each)

    @abstractmethod
    def put(self, kind: str, doc: dict[str, Any]) -> None:
        """Keep a document that `insert` has checked and normalised; it is the store's to keep.

        Raises
        ------
        ConflictingDocument, UnknownDescriptor
            As `insert` says. Of a page, no row is kept then.
        """

    def put_at_once(self, kind: str, doc: dict[str, Any], seconds: float) -> bool:
        """Keep a document as `put` does, and tell whether that is known within some seconds.

        If not, it may be kept all the same; `put` says what is wrong. This one never tries.
        """
        return False

    def put_many(self, documents: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Keep documents that `insert_many` has checked and normalised, in their order.

        A store that has transactions does better than this one, which keeps one after the
        other.

        Raises
        ------
        ConflictingDocument, UnknownDescriptor
            One is refused. Those before it may be kept or not: they are put again, one by one.
        """
        for kind, doc in documents:
            self.put(kind, doc)

    def insert_batches(self, kind: str, owner: str, batches: Iterable[pa.RecordBatch]) -> None:
        """Keep rows of one owner that come as batches, such as `read` of a store yields.

        As if each row were inserted, but none becomes a dictionary on its way. So less is looked
        at: that identities are texts, times finite, seq_nums integers, and dictionaries what must
        be one. Other values are kept as they are; those that `read` yields were made plain when
        they were inserted. Rows keep their order; those that are there already change nothing,
        wherever they are, and a different one of an identity is refused. A batch is stored when
        the next one is asked for.

        Parameters
        ----------
        kind
            'event', 'datum' or 'stream_datum'.
        owner
            The uid of the descriptor, resource or stream resource.
        batches
            With all columns that the rows have.

        Raises
        ------
        InvalidDocument
            A column is missing, or holds what it must not.
        ConflictingDocument, UnknownDescriptor
            As `insert` says. The batches before this one were kept.
        """
        from ..columns.checks import check_batch

        for batch in batches:
            check_batch(kind, batch)
            if batch.num_rows:
                self.put_batch(kind, owner, batch)

    def insert_runs(self, runs: Sequence[StoredRun]) -> None:
        """Keep small runs that `read_runs` yielded, as if each of their documents were inserted.

        Parameters
        ----------
        runs
            All of them with their rows, of a few megabytes together.

        Raises
        ------
        InvalidDocument
            As `insert_many` and `insert_batches` say.
        """
        self.insert_many(
            pair for run in runs for pair in run.documents((run.batches or {}).__getitem__)
        )

    def put_batch(self, kind: str, owner: str, batch: pa.RecordBatch) -> None:
        """Keep a batch that `insert_batches` has checked; if a row is refused, perhaps a part.

        A store that keeps columns does better than this one, which makes documents of its rows.
        """
        from ..columns import to_rows

        self._put_group([Accepted(kind, row, []) for row in to_rows(kind, owner, batch)])

    def write_for_others(self) -> None:
        """Take note that other processes write what is inserted here, as the clients of a server.

        So this process may end, and a run goes on. A store that remembers who writes a run
        remembers nobody then.
        """
        return

    # -- finding runs ----------------------------------------------------

    @abstractmethod
    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        """Yield the runs that match, by start time, then arrival in the store, both descending.

        Lazy, in pages; bounded by the runs that existed when it began. No
        transaction stays open between two runs handed out.

        Parameters
        ----------
        query
            What the runs must match.
        limit
            So many runs at most.
        after
            The `cursor` of a run: those that come after it are wanted.
        """

    def count(self, query: Node) -> int:
        """Return how many runs match."""
        return sum(1 for _ in self.find(query))

    def record(self, uid: str) -> RunRecord | None:
        """Return the run of this full uid as it is now, or None."""
        return next(self.find(Equals(_UID, uid), limit=1), None)

    def resolve(self, prefix: str, limit: int) -> list[str]:
        """Return the uids that begin with ``prefix``, sorted, at most ``limit``."""
        return sorted(uid for (uid,) in self.select(UidPrefix(prefix), [_UID]))[:limit]

    def select(
        self, query: Node, paths: Sequence[Path], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the values at some paths of the runs that match, in the order of `find`.

        What `query.projection.value_at` gives for each path; a number may come as another one
        that is equal. A store that need not read whole documents for this does better.
        """
        for run in self.find(query, limit=limit):
            yield tuple(value_at(run.start, run.stop, path) for path in paths)

    def distinct(self, path: Path, query: Node) -> list[tuple[Any, int]]:
        """Return each value at a path, and how many of the matching runs have it.

        A list counts once for each different element; dictionaries and lists
        inside it are left out. Equal numbers are one value, whole ones an
        integer; NaN is none. The most frequent value comes first.
        """
        counts: Counter[Keyed] = Counter()
        for run in self.find(query):
            counts.update(distinct_values(run.start, run.stop, path))
        return ranked(counts)

    def keys(self, most: int) -> list[str]:
        """Return keys that runs have, as one writes them in a search: some, where they are many.

        A store that has them in an index does better than this one, which looks at runs.
        """
        keys: dict[str, None] = {}
        for run in self.find(Everything(), limit=_LOOKED_AT):
            paths = chain(key_paths(run.start), key_paths(run.stop or {}, "stop."))
            keys.update(dict.fromkeys(islice(paths, most)))
            if len(keys) >= most:
                break
        return list(keys)[:most]

    # -- reading a run ---------------------------------------------------

    @abstractmethod
    def documents(
        self, uid: str, kinds: Collection[str] = LINKED
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the run's descriptors, resources and stream resources, or those of some kinds.

        One kind after the other, each in order of arrival. A run may have very many
        resources: who needs the descriptors alone says so.
        """

    def activity(self, uid: str) -> Activity:
        """Return who writes this run and when it last did.

        A store that knows the writer, or which events are the newest, does better than this
        one, which reads the times of all events.
        """
        run = self.record(uid)
        descriptors = [doc for _, doc in self.documents(uid, ["descriptor"])]
        events = [last_event(self, doc["uid"]) for doc in descriptors]
        return Activity(max([last_time([*([run.start] if run else []), *descriptors]), *events]))

    @abstractmethod
    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return where the rows of one owner are now, by arrival, without reading them.

        They stay good, for other processes too, whatever the store does to its rows: who reads
        them while more arrive, and are put together, gets each of these rows once.

        Parameters
        ----------
        kind
            'event', 'datum' or 'stream_datum'.
        owner
            The uid of the descriptor, resource or stream resource.
        """

    @abstractmethod
    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows as plain batches, in the order in which they arrived.

        Parameters
        ----------
        kind
            'event', 'datum' or 'stream_datum'.
        extent
            Where the rows are, as `extents` said.
        selection
            Which of their columns are wanted. Those that they do not have are left out.
        rows
            The first row, counted within the extent, and the one after the last; None for all.

        Raises
        ------
        StoreDamaged
            The stored bytes cannot be read back.
        """

    def read_extents(
        self, kind: str, extents: Iterable[Extent], selection: Selection
    ) -> Iterator[list[pa.RecordBatch]]:
        """Yield the rows of several extents: for each of these the batches that `read` yields.

        A store that reads some of them at once does better than this one.
        """
        return each_extent(self, kind, extents, selection)

    def read_many(
        self, runs: Iterable[str], stream: str, selection: Selection | None
    ) -> Iterator[RunsPage]:
        """Yield the rows of one stream of many runs, some runs at a time, in the order given.

        A store that reads several runs at once does better than this one, which asks for the
        documents, extents and rows of each.

        Parameters
        ----------
        runs
            The uids of runs, each once; taken as they come.
        stream
            The name of the stream, as descriptors that are stored have it.
        selection
            Which of the columns are wanted. Those that rows do not have are left out. None if
            no row is wanted, but only what descriptors say.
        """
        from .many import pages  # which imports pyarrow

        return pages(self, runs, stream, selection)

    def outlines(self, uids: Iterable[str]) -> dict[str, Outline]:
        """Return what some runs consist of, by uid; those that are not there are left out.

        A store that answers for several in one look does better than this one.
        """
        return {run.uid: run.outline for run in Store.read_runs(self, uids)}

    def read_runs(self, uids: Iterable[str]) -> Iterator[StoredRun]:
        """Yield some runs, in this order; those that are not there are left out.

        A store that reads several in one look does better than this one; it may give the rows of
        small runs, too.

        Raises
        ------
        StoreDamaged
            The stored bytes cannot be read back. Runs before it were yielded.
        """
        from .contents import StoredRun, owners_of

        for uid in uids:
            if (record := self.record(uid)) is not None:
                linked = list(self.documents(uid))
                extents = {owner: self.extents(*owner) for owner in owners_of(linked)}
                yield StoredRun(record.start, record.stop, linked, extents)

    @abstractmethod
    def datum(self, datum_id: str) -> dict[str, Any] | None:
        """Return one datum document by its id, or None."""

    @abstractmethod
    def resource(self, uid: str) -> dict[str, Any] | None:
        """Return one resource document by its uid, or None."""

    def run_of(self, kind: str, owner: str) -> str | None:
        """Return the uid of the run that an owner of rows says it belongs to, if one is stored.

        `kind` and `owner` are as for `extents`. A store that finds such a document by its uid does
        better than this one, which looks at those of all runs.
        """
        wanted = OWNER[kind]
        for (uid,) in self.select(Everything(), [_UID]):
            if any(doc["uid"] == owner for _, doc in self.documents(uid, [wanted])):
                return str(uid)
        return None

    def backup(self, path: FilePath, progress: Callable[[int, int], None] | None) -> None:
        """Copy all that is stored into a new file, while others may write (see `capabilities`).

        Parameters
        ----------
        path
            Where nothing is yet.
        progress
            Called with how many bytes are copied, and how many there are.
        """
        raise NotSupported(f"{self} cannot be copied as a whole.")

    def check(self, progress: CheckProgress | None = None, mend_index: bool = False) -> CheckReport:
        """Read everything that is stored once, and say what is not as it was written.

        A store that keeps an index compares it with the documents too.

        Parameters
        ----------
        progress
            Called with how much is checked, and how much there is.
        mend_index
            Whether to set right what differs in an index; nothing else is ever changed.
        """
        from .checking import check_by_reading

        return check_by_reading(self, progress)

    def create_indexes(self) -> list[str]:
        """Make indexes of a database that are not there; return the names of all.

        Raises
        ------
        NotSupported
            The store has none, or sees to them by itself.
        """
        raise NotSupported(f"{self} has no indexes that could be made.")

    def size(self) -> int | None:
        """Return how many bytes the store takes, if that is known."""
        return None

    # -- noticing what is new ----------------------------------------------

    def state(self) -> Hashable:
        """Return what is another value once more is stored, by whomever; it is so at once.

        It may be another one though nothing is new, and means something to this thread alone. A
        store that counts what is stored does better than this one, which looks at the newest run.
        """
        run = next(self.find(Everything(), limit=1), None)
        if run is None:
            return None
        rows = [
            sum(extent.rows for extent in self.extents(ROWS[kind], doc["uid"]))
            for kind, doc in self.documents(run.uid)
        ]
        return self.count(Everything()), run.uid, run.stop is None, tuple(rows)

    def newest_mark(self) -> Any:
        """Return a mark after which nothing has come yet; None without runs, or without marks."""

    def uids_since(self, mark: Any) -> tuple[list[str], Any] | None:
        """Return the uids of runs that came since a mark was given, and a new mark.

        None if it cannot be told what came since: all are to be asked for. A store that knows in
        which order its runs came, and loses none, does better than this one, which has no marks.

        Parameters
        ----------
        mark
            As it or `newest_mark` returned it, and JSON can hold it; None for all runs, of which
            some may come again with the mark returned.
        """
        return (self.resolve("", EVERY), None) if mark is None else None

    def wait_for_changes(self, state: Hashable, timeout: float) -> bool:
        """Wait until `state` is no more what it was; tell whether it is so.

        It is noticed within a twentieth of a second, or sooner; within a second where each look is
        several requests to a server. What was stored after the state was asked for, and before
        this began, counts.

        Parameters
        ----------
        state
            What `state` returned to this thread.
        timeout
            So many seconds at most; with 0, it is only looked.
        """
        return wait_until(lambda: self.state() != state, timeout)

    def expect_changes(self) -> None:
        """Begin to listen for changes, where a server tells of them.

        It will be looked again and again whether there are some, by `wait_for_changes` with 0.
        """
        return

    # -- behind a server -------------------------------------------------

    def prepare(self) -> None:
        """Import what storing needs, so that only the server's time counts from then on."""
        return

    def reach(self) -> None:
        """See that the server of the store, if it has one, can be asked now.

        Raises
        ------
        StoreAway
            It cannot, but may be later.
        StoreUnavailable
            It refuses, or is not there.
        """
        return

    def waiting(self) -> Waiting:
        """Return what was inserted on this machine and waits for the server."""
        return Waiting()

    def is_waiting(self, uid: str) -> bool:
        """Tell whether documents of a run wait, which this process inserted."""
        return False

    def send_waiting(self) -> int:
        """Send what processes that are gone left waiting; return how many documents.

        Raises
        ------
        StoreUnavailable
            The server takes none now; what was not sent waits on.
        """
        return 0

    @abstractmethod
    def close(self) -> None:
        """Let go of files, connections and threads. Closing twice is harmless."""
