"""One of several stores: opened when it is there, and named by what it raises."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import StoreUnavailable
from ..base import STALE_AFTER, Capabilities, Store
from ..delegating import DelegatingStore
from ..waiting import Waiting

if TYPE_CHECKING:
    import pyarrow as pa

    from ..contents import StoredRun

REST = 5.0
"""Seconds for which a store that is away is not asked again, where it may be left out."""

_LONGER = 5
"""A rest is so many times as long as it took to learn that the store is away, if that is more."""


class MemberStore(DelegatingStore):
    """A store among several.

    Parameters
    ----------
    name
        What it is called among them.
    place
        Which of them it is, counted from 0.
    behind
        The store, or what opens it.
    """

    def __init__(self, name: str, place: int, behind: Store | Callable[[], Store]) -> None:
        super().__init__()
        self.name, self.place = name, place
        self._asked_again = 0.0  # not before
        self._stale_after: float | None = None  # that of the store
        self._writes_for_others = False
        self._opened: Store | None = None
        if isinstance(behind, Store):
            self._opened = behind
        else:
            self._open = behind

    @property
    def behind(self) -> Store:
        """The store, opened by now."""
        if self._opened is None:
            with self._named():
                opened = self._open()
            if self._opened is None:
                self._opened = opened
                if self._stale_after is not None:
                    opened.stale_after = self._stale_after
                if self._writes_for_others:
                    opened.write_for_others()
            else:  # by another thread, meanwhile
                opened.close()
        return self._opened

    @property
    def opened(self) -> Store | None:
        """The store, if it could be opened so far."""
        return self._opened

    @property
    def is_resting(self) -> bool:
        """Whether it was away a moment ago."""
        return time.monotonic() < self._asked_again

    def rest(self, waited: float) -> bool:
        """Take note that it is away, for which it took so many seconds; tell whether it is new."""
        was_there = self._asked_again == 0
        self._asked_again = time.monotonic() + max(REST, _LONGER * waited)
        return was_there

    def is_back(self) -> None:
        """Take note that it answered."""
        self._asked_again = 0.0

    @property
    def members(self) -> Mapping[str, Store]:  # type: ignore[override]
        """The stores that it asks itself, once it was opened."""
        return {} if self._opened is None else self._opened.members

    @property
    def left_out(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of those among these that are away."""
        return () if self._opened is None else self._opened.left_out

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What the store can do."""
        return self.behind.capabilities

    @property
    def stale_after(self) -> float:
        """Seconds after which a run that has fallen silent no longer counts as running."""
        if self._stale_after is not None:
            return self._stale_after
        return STALE_AFTER if self._opened is None else self._opened.stale_after

    @stale_after.setter
    def stale_after(self, seconds: float) -> None:
        self._stale_after = seconds
        if self._opened is not None:
            self._opened.stale_after = seconds

    def __str__(self) -> str:
        return f"{self.name} (away)" if self._opened is None else f"{self.name} ({self._opened})"

    def __reduce__(self) -> Any:
        return MemberStore, (self.name, self.place, self.behind)

    # -- asking ----------------------------------------------------------

    def ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        store = self.behind
        with self._named():
            answer = getattr(store, method)(*args, **kwargs)
        return self._stream(answer) if isinstance(answer, Iterator) else answer

    def _stream(self, answer: Iterator[Any]) -> Iterator[Any]:
        with self._named():
            yield from answer

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Let what says that the store cannot be reached say which one that is."""
        try:
            yield
        except StoreUnavailable as error:
            raise type(error)(f"{self.name!r} of several sources: {error}") from error

    # -- writing ---------------------------------------------------------

    def write_for_others(self) -> None:
        self._writes_for_others = True
        if self._opened is not None:
            self._opened.write_for_others()

    def put(self, kind: str, doc: dict[str, Any]) -> None:
        self.ask("put", kind, doc)

    def put_many(self, documents: Sequence[tuple[str, dict[str, Any]]]) -> None:
        self.ask("put_many", documents)

    def put_batch(self, kind: str, owner: str, batch: pa.RecordBatch) -> None:
        self.ask("put_batch", kind, owner, batch)

    def insert_runs(self, runs: Sequence[StoredRun]) -> None:
        self.ask("insert_runs", runs)

    def waiting(self) -> Waiting:
        return Waiting() if self._opened is None else self._opened.waiting()

    def is_waiting(self, uid: str) -> bool:
        return self._opened is not None and self._opened.is_waiting(uid)

    def send_waiting(self) -> int:
        sent: int = self.ask("send_waiting")
        return sent

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
