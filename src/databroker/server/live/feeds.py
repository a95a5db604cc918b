"""What a live stream says: that something was stored, runs that begin and end, documents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..._util.signals import not_from_signal
from ...errors import DatabrokerError, StoreAway
from ...stores.wire.problems import to_problem
from .messages import message, place, short_of_run, short_of_runs

if TYPE_CHECKING:
    from ...runs.following.documents import DocumentFollower
    from ...runs.following.follower import Follower
    from ...runs.following.runs import RunsFollower
    from .notifier import State

Run = Callable[..., Awaitable[Any]]

_AT_ONCE = 100
"""Documents in a message at most."""


class Feed(ABC):
    """What one listener is sent."""

    is_over = False
    """Whether nothing will come after that."""

    @abstractmethod
    def messages(self, state: State | None, *, is_thorough: bool) -> AsyncIterator[bytes]:
        """Yield messages of what is new; a thorough look sees that nobody will write any more."""


class StateFeed(Feed):
    """Tells that there is more, and nothing else.

    Parameters
    ----------
    told
        The state that the listener knows, as JSON has it.
    """

    def __init__(self, told: Any) -> None:
        self._told = told

    async def messages(self, state: State | None, *, is_thorough: bool) -> AsyncIterator[bytes]:
        """Yield a message if the state is another one than was told last."""
        if state is not None and list(state) != self._told:
            self._told = list(state)
            yield message("changed", {"state": self._told}, self._told)


class FollowerFeed(Feed):
    """Tells what a follower finds, which looks where others would wait.

    Parameters
    ----------
    follower
        Stands where the listener does.
    run
        Has a function called by a thread.
    """

    def __init__(self, follower: Follower[Any], run: Run) -> None:
        self._follower, self._run = follower, run
        self._has_begun = False

    @abstractmethod
    def _encoded(self, news: Iterator[Any]) -> Iterator[bytes]:
        """Yield messages of what a look found."""

    def _beginning(self) -> Iterator[bytes]:
        """Yield what is told before all else."""
        return iter(())

    async def messages(self, state: State | None, *, is_thorough: bool) -> AsyncIterator[bytes]:
        """Yield messages of what is new, each as soon as it is made."""
        found = self._found(is_thorough)
        try:
            while each := await self._run(next, found, b""):
                yield each
        except StoreAway:
            return  # until it is back
        except DatabrokerError as error:
            self.is_over = True
            yield message("problem", dict(to_problem(error)))

    def _found(self, is_thorough: bool) -> Iterator[bytes]:
        if not self._has_begun:
            yield from self._beginning()
            self._has_begun = True
        look = self._follower.look(is_thorough=is_thorough)
        yield from self._encoded(look.news)
        self.is_over = look.is_last
        if self.is_over:
            yield message("end", {})


class RunsFeed(FollowerFeed):
    """Tells which runs begin and end."""

    _follower: RunsFollower

    def _encoded(self, news: Iterator[Any]) -> Iterator[bytes]:
        """Yield a message for each run that began or ended."""
        for name, run in news:
            about = {"start": run.start} | ({"stop": run.stop} if name == "stop" else {})
            yield message(name, {"uid": run.uid, **about}, self._cursor())

    def _beginning(self) -> Iterator[bytes]:
        """Say where it begins, so that who is cut off before the first run misses nothing."""
        cursor = self._cursor()
        if cursor is not None:
            yield place(cursor)

    def _cursor(self) -> Any:
        return short_of_runs(self._follower.cursor)


class DocumentsFeed(FollowerFeed):
    """Tells documents of a run, some in a message."""

    _follower: DocumentFollower

    def _encoded(self, news: Iterator[Any]) -> Iterator[bytes]:
        """Yield messages, each a list of kinds and documents."""
        for some in _together(news):
            yield self._message(some)

    def _message(self, pairs: list[Any]) -> bytes:
        return message("documents", pairs, short_of_run(self._follower.cursor))


def _together(items: Iterator[Any]) -> Iterator[list[Any]]:
    """Yield items some at a time; those before an error, too."""
    some: list[Any] = []
    try:
        for each in items:
            some.append(each)
            if len(some) == _AT_ONCE:
                yield some
                some = []
    except not_from_signal(Exception):
        if some:
            yield some
        raise
    if some:
        yield some
