"""Working on one thing in a thread of its own, while the next one is made."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def behind(
    work: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[tuple[Item, Result], None, None]:
    """Yield each item with what became of it; two of them are in hand at most.

    It must be closed, which waits for the thread.
    """
    before: tuple[Item, Future[Result]] | None = None
    with ThreadPoolExecutor(1) as thread:
        for item in items:
            if before is not None:
                yield before[0], before[1].result()
            before = item, thread.submit(work, item)
        if before is not None:
            yield before[0], before[1].result()


def one_by_one(
    work: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[tuple[Item, Result], None, None]:
    """Yield each item with what became of it, without a thread."""
    for item in items:
        yield item, work(item)
