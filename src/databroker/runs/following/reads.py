"""What followers read of a store: what several of them need now is read once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from copy import deepcopy
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from ...stores.facts import run_status
from ...stores.rows import batches_of, parts_of

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node, Path
    from ...stores.base import Store
    from ...stores.contents import Outline
    from ...stores.rows import Extent
    from .shared_answers import SharedAnswers

T = TypeVar("T")

Doc = dict[str, Any]

_MOST_ROWS = 1_000
"""Rows that are read for several at most: who is far behind reads for itself."""

_MOST_BYTES = 2**18
"""Bytes of rows that are in memory together, and kept for others, at most."""


class Reads:
    """Has a store answer a follower in one look.

    Parameters
    ----------
    store
        The store.
    answers
        What other followers were told, which is good for this one, too. None where each asks for
        itself.
    since
        When that was asked at the earliest, by `time.monotonic`.
    """

    def __init__(
        self, store: Store, answers: SharedAnswers | None = None, since: float = 0.0
    ) -> None:
        self._store = store
        self._answers = answers
        self._since = since
        self._step = 0

    def later(self, answers: SharedAnswers, since: float) -> Reads:
        """Return the same for a later look, which is told nothing older than this one was."""
        return Reads(self._store, answers, max(since, self._since))

    def status(self, uid: str) -> str:
        """Return how a run without a stop document stands; what is asked next is newer."""
        return self._newer(("status", uid), lambda: run_status(self._store, uid, None))

    def outline(self, uid: str) -> Outline | None:
        """Return what a run consists of, if it is there; what is asked next is newer."""
        return self._newer(("outline", uid), lambda: self._store.outlines([uid]).get(uid))

    def documents(self, uid: str, kinds: Collection[str]) -> list[tuple[str, Doc]]:
        """Return documents of a run, which the follower may change."""
        found = self._once(
            ("documents", uid, frozenset(kinds)), lambda: list(self._store.documents(uid, kinds))
        )
        return found if self._answers is None else deepcopy(found)

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return where the rows of one owner are."""
        return self._once(("extents", kind, owner), lambda: self._store.extents(kind, owner))

    def rows(
        self, kind: str, owner: str, selection: Selection, first: int, stop: int
    ) -> Iterable[pa.RecordBatch]:
        """Return some rows of one owner, counted from its first one."""
        asked = kind, owner, selection, first, stop
        if stop - first > _MOST_ROWS:
            return batches_of(self._store, *asked)
        batches = self._batches(*asked)
        taken: list[pa.RecordBatch] = []
        few = self._once(("rows", *asked), lambda: taken if _are_few(batches, taken) else None)
        return chain(taken, batches) if few is None else few

    def _batches(
        self, kind: str, owner: str, selection: Selection, first: int, stop: int
    ) -> Iterator[pa.RecordBatch]:
        for extent, rows in parts_of(self.extents(kind, owner), first, stop):
            yield from self._store.read(kind, extent, selection, rows)

    def count(self, query: Node) -> int:
        """Return how many runs match."""
        return self._once(("count", query), lambda: self._store.count(query))

    def newest_mark(self) -> Any:
        """Return a mark after which nothing has come yet, if there is one."""
        return self._store.newest_mark()

    def uids_since(self, mark: Any) -> tuple[list[str], Any] | None:
        """Return the uids of runs that came since a mark was given, and a new mark."""
        return self._once(("since", repr(mark)), lambda: self._store.uids_since(mark))

    def select(self, query: Node, path: Path, limit: int | None = None) -> list[Any]:
        """Return the values at a path of the runs that match, of the newest ones."""
        return self._once(
            ("select", query, path, limit),
            lambda: [value for (value,) in self._store.select(query, [path], limit)],
        )

    def _newer(self, question: Hashable, answered: Callable[[], T]) -> T:
        """Return an answer after which what is asked is newer."""
        if self._answers is None:
            return answered()
        # Another look that took its second answer for its first would need a newer one next.
        self._step += 1
        answer, self._since = self._answers.ask((self._step, question), answered, self._since)
        return answer

    def _once(self, question: Hashable, answered: Callable[[], T]) -> T:
        if self._answers is None:
            return answered()
        return self._answers.ask(question, answered, self._since)[0]


def _are_few(batches: Iterator[pa.RecordBatch], taken: list[pa.RecordBatch]) -> bool:
    """Take batches until they are many bytes; tell whether these are all."""
    left = _MOST_BYTES
    for batch in batches:
        taken.append(batch)
        left -= batch.nbytes
        if left < 0:
            return False
    return True
