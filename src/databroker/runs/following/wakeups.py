"""When to look at a store again: as soon as something was stored, and now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .change_watch import watch_of
from .shared_answers import HOLDS

if TYPE_CHECKING:
    from ...stores.base import Store

PATIENCE = 5.0
"""Seconds between two looks at most: a run whose writer died changes nothing in its store."""

_PAUSE = 0.02

GOES_ON = ("running", "waiting")
"""How a run stands that has not ended."""


def wakeups(
    store: Store, pause: float = _PAUSE, patience: Callable[[], float] = lambda: PATIENCE
) -> Iterator[float]:
    """Yield now, and then each time that something was stored.

    Each time comes with another one, by `time.monotonic`: what was asked since then is known to be
    no older than this wake-up needs.

    Parameters
    ----------
    store
        What is looked at.
    pause
        Seconds between two wake-ups at least: events may come by the thousand.
    patience
        Returns the seconds after which there is a wake-up though nothing was stored.
    """
    since = time.monotonic()
    while True:
        changes, looked = watch_of(store).changes, time.monotonic()
        yield since
        watch = watch_of(store)
        watch.wait(changes, patience())
        time.sleep(max(0.0, looked + pause - time.monotonic()))
        since = max(watch.changed, time.monotonic() - HOLDS)
