"""Followers: iterators that yield what is new in a store, as it comes."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from ...errors import StoreAway
from .change_watch import watch_of
from .reads import Reads
from .subscription import Subscription
from .wakeups import PATIENCE, wakeups

if TYPE_CHECKING:
    from ...stores.base import Store

T = TypeVar("T")

AWAY = 60.0
"""Seconds for which the server of a store may be away until a follower gives up."""

_AGAIN = 0.5
"""Seconds until a server that was away is asked again."""


class Look(NamedTuple):
    """What one look at a store finds."""

    news: Iterator[Any]
    is_last: bool  # as nothing will come after that


class Follower(Iterator[T]):
    """An iterator that yields what is new in a store, each thing once, and waits in between.

    It keeps no file or connection open between two things. If the server of the store is away, it
    waits for it, up to a minute. Whatever ended it, an error or an interrupt too, another follower
    can continue from its cursor.
    """

    def __init__(self, store: Store, timeout: float | None) -> None:
        self._store = store
        self._reads = Reads(store)
        self._is_stopped = False
        self._all = self._looks(math.inf if timeout is None else timeout)

    @property
    @abstractmethod
    def cursor(self) -> dict[str, Any]:
        """How far it has come: after what it yielded last. JSON can hold it."""

    @abstractmethod
    def move_to(self, cursor: Any) -> None:
        """Go on from where another one is, which gave more of the same."""

    def __next__(self) -> T:
        return next(self._all)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it now; if another thread is waiting in it, at its next look, which is soon."""
        try:
            self._all.close()
        except ValueError:  # it runs
            self.stop()

    def stop(self) -> None:
        """End it at its next look, which is soon; another thread may call this."""
        self._is_stopped = True
        watch_of(self._store).tell()

    def subscribe(self, callback: Callable[..., object]) -> Subscription:
        """Call a function with each thing that comes, in a thread of its own.

        Parameters
        ----------
        callback
            Called with what this iterator would yield: a name and a document, a name and a run, or
            a table.

        Returns
        -------
        Subscription
            It has `stop` and `wait`; a ``with`` statement stops it at the end.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
        >>> db.insert("stop", {"uid": "s", "run_start": "b2c1", "time": 2.0})
        >>> db["b2c1"].follow().subscribe(lambda name, document: print(name)).wait()
        start
        stop
        True
        """
        return Subscription(self, callback)

    def look(self, *, is_thorough: bool) -> Look:
        """Return what is new; a thorough look sees that nobody will write any more."""
        self._reads = Reads(self._store)
        return self._look(is_thorough)

    @abstractmethod
    def _look(self, is_thorough: bool) -> Look:
        """Return what is new, as the store answers now."""

    def _looks(self, timeout: float) -> Generator[T, None, None]:
        heard = reached = time.monotonic()
        thorough = -math.inf

        def patience() -> float:
            return max(0.0, min(PATIENCE, heard + timeout - time.monotonic()))

        while not self._is_stopped:
            try:
                for since in wakeups(self._store, patience=patience):
                    if self._is_stopped:
                        return
                    looked = time.monotonic()
                    # What was stored before it ends is given.
                    since = looked if looked >= heard + timeout else since
                    self._reads = self._reads.later(watch_of(self._store).answers, since)
                    is_thorough = looked >= thorough + PATIENCE
                    look = self._look(is_thorough)
                    for each in look.news:
                        yield each
                        # Whoever takes long with it does not count as a server that is away.
                        heard = reached = time.monotonic()
                    reached, thorough = max(reached, looked), looked if is_thorough else thorough
                    if look.is_last or looked >= heard + timeout:
                        return
            except StoreAway:
                if time.monotonic() >= min(reached + AWAY, heard + timeout):
                    raise
            time.sleep(_AGAIN)
