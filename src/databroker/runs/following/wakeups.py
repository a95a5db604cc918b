"""When to look at a store again: as soon as something was stored, and now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...stores.base import Store

PATIENCE = 5.0
"""Seconds between two looks at most: a run whose writer died changes nothing in its store."""

_PAUSE = 0.02

GOES_ON = ("running", "waiting")
"""How a run stands that has not ended."""


def wakeups(
    store: Store, pause: float = _PAUSE, patience: Callable[[], float] = lambda: PATIENCE
) -> Iterator[None]:
    """Yield now, and then each time that something was stored.

    Parameters
    ----------
    store
        What is looked at.
    pause
        Seconds between two wake-ups at least: events may come by the thousand.
    patience
        Returns the seconds after which there is a wake-up though nothing was stored.
    """
    while True:
        state, looked = store.state(), time.monotonic()
        yield
        store.wait_for_changes(state, patience())
        time.sleep(max(0.0, looked + pause - time.monotonic()))
