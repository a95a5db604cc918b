"""The contract of stores, answered by several of them as by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Any, TypeVar

from ..._util.polling import wait_until
from ...query.nodes import Everything, Path, TimeBounds
from ...query.projection import Keyed, keyed_value, ranked
from ..activity import Activity
from ..base import LINKED, Capabilities, RunRecord, Store
from ..checking import CheckProgress, CheckReport, Finding
from ..rows import Extent
from ..waiting import Waiting
from .arrivals import has_changed, newest_mark, uids_since
from .copies import STOP, UID, among
from .member import MemberStore
from .members import Members
from .merging import Place, in_portions, merged, placed, with_places
from .ownership import Ownership
from .reading import grouped, marked, read_many, read_runs
from .write_to import WriteTo

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node
    from ..contents import Outline, StoredRun
    from ..many import RunsPage

Doc = dict[str, Any]
Row = tuple[Any, ...]
T = TypeVar("T")

_TIME = Path("time")
_FEW = 100
"""So many runs are counted one by one."""


class FederatedStore(Store):
    """Asks several stores, and answers as one that holds the runs of all of them.

    A run that several have is that of the first that has its stop document; if none has, of
    the first.

    Parameters
    ----------
    members
        Stores, or what opens them, by name; their order is the order of their runs of one time.
    write_to
        The name of the one that takes what is inserted; None for none of them.
    skip_unavailable
        Whether one that is away is left out with a warning until it is back, or is an error.

    Examples
    --------
    >>> from databroker.query.nodes import Everything
    >>> from databroker.stores.memory import MemoryStore
    >>> here, there = MemoryStore(), MemoryStore()
    >>> here.insert("start", {"uid": "a", "time": 1.0})
    >>> there.insert("start", {"uid": "b", "time": 2.0})
    >>> store = FederatedStore({"here": here, "there": there}, write_to="here")
    >>> store.insert("start", {"uid": "c", "time": 3.0})
    >>> [(run.uid, run.source) for run in store.find(Everything())]
    [('c', ('here',)), ('b', ('there',)), ('a', ('here',))]
    """

    def __init__(
        self,
        members: Mapping[str, Store | Callable[[], Store]],
        write_to: str | None = None,
        skip_unavailable: bool = False,
    ) -> None:
        super().__init__()
        self._members = Members(members, skip_unavailable)
        self.members: Mapping[str, MemberStore] = {each.name: each for each in self._members}
        self._ownership = Ownership(self._members)
        self._write_to = WriteTo(write_to, self.members, self._ownership)
        self._open()

    def _open(self) -> None:
        """Open all, so that what is wrong with one is said now."""
        try:
            for _ in self._members.answers(lambda store: store.capabilities):
                pass
        except BaseException:
            self.close()
            raise

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What all of them can do; to be written to, that can which is named for it."""
        found = [can for _, can in self._members.answers(lambda store: store.capabilities)]
        return Capabilities(
            writable=bool(self._write_to) and self._write_to.member.capabilities.writable,
            shared=all(can.shared for can in found),
            exact="exact" if all(can.exact == "exact" for can in found) else "json",
            live=all(can.live for can in found),
        )

    @property
    def left_out(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of members that are away, and not asked for now."""
        return tuple(self._members.left_out())

    @property
    def stale_after(self) -> float:
        """Seconds after which a run that has fallen silent no longer counts as running."""
        return self._members[0].stale_after

    @stale_after.setter
    def stale_after(self, seconds: float) -> None:
        for member in self._members:
            member.stale_after = seconds

    def __str__(self) -> str:
        count = len(self._members)
        return f"{count} source{'s' * (count != 1)}: {', '.join(map(str, self._members))}"

    def __reduce__(self) -> Any:
        # What it is opened with may hold a password; a store that is open leaves that behind.
        there = {each.name: each.behind for each in self._members if each.opened is not None}
        write_to = self._write_to.name if self._write_to.name in there else None
        return FederatedStore, (there, write_to, self._members.skips)

    # -- writing ---------------------------------------------------------

    @property
    def group_size(self) -> int:  # type: ignore[override]
        """How many small documents `insert_many` keeps at once."""
        return self._write_to.member.group_size if self._write_to else Store.group_size

    def write_for_others(self) -> None:
        if self._write_to:
            self._write_to.member.write_for_others()

    def put(self, kind: str, doc: Doc) -> None:
        self._write_to.taking([(kind, doc)]).put(kind, doc)

    def put_many(self, documents: Sequence[tuple[str, Doc]]) -> None:
        self._write_to.taking(documents).put_many(documents)

    def put_batch(self, kind: str, owner: str, batch: pa.RecordBatch) -> None:
        self._write_to.member.put_batch(kind, owner, batch)

    def insert_runs(self, runs: Sequence[StoredRun]) -> None:
        self._write_to.member.insert_runs(runs)

    # -- finding runs ----------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        place = None if after is None else Place.of(after)

        def runs(member: MemberStore) -> Iterator[tuple[float, tuple[MemberStore, RunRecord]]]:
            for run in self._members.stream(
                member, lambda _: self._found(member, query, limit, place)
            ):
                yield run.start["time"], (member, run)

        found = self._ownership.owned(
            merged(map(runs, self._members.asked())),
            lambda run: (run.uid, run.stop is not None),
            limit,
        )
        yield from islice(with_places(found, {} if place is None else place.after), limit)

    def _found(
        self, member: MemberStore, query: Node, limit: int | None, place: Place | None
    ) -> Iterator[RunRecord]:
        """Yield the runs of one store that come after a place."""
        if place is None:
            return in_portions(member, query, limit, None)
        older = query & TimeBounds(None, place.time)
        after = place.after.get(member.name)
        runs = in_portions(member, older, limit, after)
        order = list(self.members)
        return (run for run in runs if place.is_before(run, member, order))

    def count(self, query: Node) -> int:
        found = sum(count for _, count in self._members.answers(lambda s: s.count(query)))
        if found <= _FEW:
            return sum(1 for _ in self.select(query, [UID]))
        if query == Everything():
            return found - sum(map(len, self._ownership.copies().values()))
        return found - sum(self._of_copies(lambda some, store: store.count(query & some)))

    def _of_copies(self, question: Callable[[Node, Store], T]) -> Iterator[T]:
        """Yield what is answered of runs that are another store's, some at a time."""
        for place, uids in self._ownership.copies().items():
            for some in among(uids):
                asked = partial(question, some)
                yield from self._members.answer(self._members[place], asked)

    def record(self, uid: str) -> RunRecord | None:
        first = None
        for member, run in self._members.answers(lambda store: store.record(uid)):
            if run is not None and (first is None or run.stop is not None):
                first = placed(run, member, {})
                if run.stop is not None:
                    break
        return first

    def resolve(self, prefix: str, limit: int) -> list[str]:
        found = self._members.answers(lambda store: store.resolve(prefix, limit))
        return sorted({uid for _, uids in found for uid in uids})[:limit]

    def select(
        self, query: Node, paths: Sequence[Path], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        if limit is not None and limit <= _FEW:
            yield from super().select(query, paths, limit)
            return

        def rows(member: MemberStore) -> Iterator[tuple[float, tuple[MemberStore, Row]]]:
            wanted = [UID, STOP, _TIME, *paths]
            for row in self._members.stream(member, lambda store: store.select(query, wanted)):
                yield row[2], (member, row)

        found = self._ownership.owned(
            merged(map(rows, self._members.asked())), lambda row: (row[0], row[1] is not None)
        )
        yield from (row[3:] for _, row in islice(found, limit))

    def distinct(self, path: Path, query: Node) -> list[tuple[Any, int]]:
        counts: Counter[Keyed | None] = Counter()
        for _, rows in self._members.answers(lambda store: store.distinct(path, query)):
            counts.update({keyed_value(value): count for value, count in rows})
        copies = self._of_copies(lambda some, store: store.distinct(path, query & some))
        for rows in copies if counts else ():
            counts.subtract({keyed_value(value): count for value, count in rows})
        return ranked({value: count for value, count in counts.items() if value and count})

    def keys(self, most: int) -> list[str]:
        found = self._members.answers(lambda store: store.keys(most))
        return list(dict.fromkeys(chain.from_iterable(keys for _, keys in found)))[:most]

    # -- reading a run ---------------------------------------------------

    def documents(self, uid: str, kinds: Collection[str] = LINKED) -> Iterator[tuple[str, Doc]]:
        owner = self._ownership.owners([uid]).get(uid)
        if owner is not None:
            return owner.documents(uid, kinds)
        # Of a run without a start, which may come later.
        found = self._members.answers(lambda store: list(store.documents(uid, kinds)))
        return iter(next((documents for _, documents in found if documents), []))

    def activity(self, uid: str) -> Activity:
        return self._ownership.owners([uid]).get(uid, self._members[0]).activity(uid)

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return the extents of the store whose the run is, or of that which has most rows."""
        answers = self._members.answers(lambda store: store.extents(kind, owner))
        found = {member: extents for member, extents in answers if _rows(extents)}
        if len(found) > 1 and (uid := self.run_of(kind, owner)) is not None:
            whose = self._ownership.owners([uid]).get(uid)
            found = {whose: found[whose]} if whose in found else found
        member = max(found, key=lambda each: _rows(found[each]), default=None)
        return [] if member is None else [marked(each, member) for each in found[member]]

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        name, token = extent.token
        return self.members[name].read(kind, replace(extent, token=token), selection, rows)

    def read_extents(
        self, kind: str, extents: Iterable[Extent], selection: Selection
    ) -> Iterator[list[pa.RecordBatch]]:
        for name, some in groupby(extents, key=lambda extent: extent.token[0]):
            own = [replace(extent, token=extent.token[1]) for extent in some]
            yield from self.members[name].read_extents(kind, own, selection)

    def read_many(
        self, runs: Iterable[str], stream: str, selection: Selection | None
    ) -> Iterator[RunsPage]:
        return read_many(self._ownership, runs, stream, selection)

    def outlines(self, uids: Iterable[str]) -> dict[str, Outline]:
        _, groups = grouped(self._ownership, uids)
        found = [member.outlines(some) for member, some in groups.items()]
        return dict(chain.from_iterable(outlines.items() for outlines in found))

    def read_runs(self, uids: Iterable[str]) -> Iterator[StoredRun]:
        return read_runs(self._ownership, uids)

    def datum(self, datum_id: str) -> Doc | None:
        return self._first(lambda store: store.datum(datum_id))

    def resource(self, uid: str) -> Doc | None:
        return self._first(lambda store: store.resource(uid))

    def run_of(self, kind: str, owner: str) -> str | None:
        """Return the run; None where members do not agree, as rows may come from any of them."""
        found = {run for _, run in self._members.answers(lambda s: s.run_of(kind, owner)) if run}
        return found.pop() if len(found) == 1 else None

    def _first(self, question: Callable[[Store], Doc | None]) -> Doc | None:
        found = (answer for _, answer in self._members.answers(question))
        return next((answer for answer in found if answer is not None), None)

    # -- all of them -----------------------------------------------------

    def check(self, progress: CheckProgress | None = None, mend_index: bool = False) -> CheckReport:
        """Check one after the other; each finding says where it is."""
        findings: list[Finding] = []
        checked: Counter[str] = Counter()
        for member, report in self._members.answers(lambda s: s.check(progress, mend_index)):
            findings += (
                replace(each, text=f"{member.name}: {each.text}") for each in report.findings
            )
            checked.update(report.checked)
        return CheckReport(tuple(findings), checked)

    def size(self) -> int | None:
        sizes = [size for _, size in self._members.answers(lambda store: store.size())]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def state(self) -> Hashable:
        found = self._members.answers(lambda store: store.state())
        return tuple((member.name, state) for member, state in found)

    def wait_for_changes(self, state: Any, timeout: float) -> bool:
        if timeout > 0:
            self.expect_changes()
        return wait_until(lambda: has_changed(self._members, dict(state)), timeout)

    def expect_changes(self) -> None:
        for _ in self._members.answers(lambda store: store.expect_changes()):
            pass

    def newest_mark(self) -> Any:
        return newest_mark(self._members)

    def uids_since(self, mark: Any) -> tuple[list[str], Any] | None:
        found = uids_since(self._members, mark)
        return super().uids_since(mark) if found is None else found

    def prepare(self) -> None:
        if self._write_to:
            self._write_to.member.prepare()

    def reach(self) -> None:
        for _ in self._members.answers(lambda store: store.reach()):
            pass

    def waiting(self) -> Waiting:
        return Waiting.of_all([member.waiting() for member in self._members])

    def is_waiting(self, uid: str) -> bool:
        return any(member.is_waiting(uid) for member in self._members)

    def send_waiting(self) -> int:
        return sum(member.send_waiting() for member in self._members)

    def close(self) -> None:
        for member in self._members:
            member.close()


def _rows(extents: Sequence[Extent]) -> int:
    return sum(extent.rows for extent in extents)
