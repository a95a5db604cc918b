"""Following one run, of which a store says at each look what it consists of."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ...documents.kinds import OWNER, ROWS
from ...errors import NoSuchRun
from .follower import Follower, Look
from .progress import Progress
from .wakeups import GOES_ON

if TYPE_CHECKING:
    from ...stores.contents import Outline, Owner
    from ..session import Session

T = TypeVar("T")

Doc = dict[str, Any]


class RunFollower(Follower[T]):
    """Gives what comes to a run until that ends, or its writer is gone."""

    def __init__(
        self,
        session: Session,
        start: Mapping[str, Any],
        cursor: Any = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(session.store, timeout)
        self._session = session
        self._start = start
        self._progress = Progress.at(cursor, str(start["uid"]))
        self._known: set[Owner] = set()  # of which the documents were read

    @property
    def cursor(self) -> dict[str, Any]:
        """Where it stands in the run, behind what it gave last. JSON can hold it."""
        return self._progress.cursor

    def move_to(self, cursor: Any) -> None:
        self._progress = Progress.at(cursor, self._progress.run)

    @abstractmethod
    def _news(self, outline: Outline) -> Iterator[T]:
        """Yield what is new, where a run consists of so much."""

    def _look(self, is_thorough: bool) -> Look:
        # Rows are counted afterwards: those that come until it ends are among them.
        is_left = is_thorough and self._reads.status(self._progress.run) not in GOES_ON
        outline = self._outline()
        return Look(self._news(outline), is_left or outline.stop is not None)

    def _outline(self) -> Outline:
        uid = self._progress.run
        outline = self._reads.outline(uid)
        if outline is None:
            raise NoSuchRun(f"Run {uid[:8]!r} is not in {self._store} any more.")
        return outline

    def _linked(self, owners: Iterable[Owner]) -> Iterator[tuple[str, Doc]]:
        """Yield the documents of owners of which this did not yield them yet."""
        new = set(owners) - self._known
        if new:
            kinds = {OWNER[kind] for kind, _ in new}
            for kind, document in self._reads.documents(self._progress.run, kinds):
                owner = (ROWS[kind], document["uid"])
                if owner in new:
                    self._known.add(owner)
                    yield kind, self._session.transforms(kind, document)
