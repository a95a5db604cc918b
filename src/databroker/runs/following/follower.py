"""Looking again and again, and giving what is new, one thing at a time."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from .moments import PATIENCE, moments

if TYPE_CHECKING:
    from ...stores.base import Store

T = TypeVar("T")


class Look(NamedTuple):
    """What one look at a store finds."""

    news: Iterator[Any]
    is_last: bool  # as nothing will come after that


class Follower(Iterator[T]):
    """Gives what is new as it comes, each once; it waits where there is nothing.

    It holds nothing open between two things that it gives. Whatever ended it, an error and an
    interrupt too, another one goes on from its cursor.
    """

    def __init__(self, store: Store, timeout: float | None) -> None:
        self._store = store
        self._all = self._looks(math.inf if timeout is None else timeout)

    @property
    @abstractmethod
    def cursor(self) -> dict[str, Any]:
        """Where it stands, behind what it gave last. JSON can hold it."""

    def __next__(self) -> T:
        return next(self._all)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, as leaving the loop does."""
        self._all.close()

    @abstractmethod
    def _look(self, *, is_thorough: bool) -> Look:
        """Return what is new; a thorough look sees that nobody will write any more."""

    def _looks(self, timeout: float) -> Generator[T, None, None]:
        heard, thorough = time.monotonic(), -math.inf

        def patience() -> float:
            return max(0.0, min(PATIENCE, heard + timeout - time.monotonic()))

        for _ in moments(self._store, patience=patience):
            looked = time.monotonic()
            is_thorough = looked >= thorough + PATIENCE
            thorough = looked if is_thorough else thorough
            look = self._look(is_thorough=is_thorough)
            for each in look.news:
                yield each
                heard = time.monotonic()
            if look.is_last or looked >= heard + timeout:
                return
