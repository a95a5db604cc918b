"""Answers that are resumed where they break off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from ...errors import StoreAway

S = TypeVar("S")
T = TypeVar("T")


def resumed(
    ask: Callable[[S], Iterable[T]], left: S | None, after: Callable[[S, T], S | None]
) -> Iterator[T]:
    """Yield the items of an answer; where it breaks off, ask for those that are left.

    So a loop may take its time: a server does not wait long for who takes nothing. If nothing has
    come since it was asked, it is not asked again.

    Parameters
    ----------
    ask
        Asks for what is left, and yields items.
    left
        What is wanted; None for nothing.
    after
        Returns what is left after an item.

    Raises
    ------
    StoreAway
        The answer broke off before its first item.

    Examples
    --------
    >>> def ask(first):
    ...     yield first
    ...     raise StoreAway("The server was restarted.")
    >>> list(resumed(ask, 1, lambda number, _: number + 1 if number < 3 else None))
    [1, 2, 3]
    """
    while left is not None:
        has_come = False
        try:
            for item in ask(left):
                has_come = True
                left = None if left is None else after(left, item)
                yield item
            return
        except StoreAway:
            if not has_come:
                raise


def resumed_list(
    ask: Callable[[Sequence[S]], Iterable[T]],
    wanted: Sequence[S],
    after: Callable[[int, T], int],
) -> Iterator[T]:
    """Yield what is asked for by a list, as `resumed` does.

    Parameters
    ----------
    ask
        Asks for the rest of the list, and yields items.
    wanted
        The list.
    after
        Returns how much of the list is done with after an item, given how much was before.
    """

    def left(place: int) -> int | None:
        return place if place < len(wanted) else None

    def behind(place: int, item: T) -> int | None:
        return left(after(place, item))

    return resumed(lambda place: ask(wanted[place:]), left(0), behind)
