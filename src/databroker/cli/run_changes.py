"""What happens in a broker while one looks: runs begin, grow and end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..errors import StoreAway
from ..runs.following.follower import AWAY
from ..runs.following.wakeups import GOES_ON, wakeups
from .columns import value_of

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..runs.run import Run

T = TypeVar("T")

_PAUSE = 0.5
"""Seconds between two looks at a list of runs at least."""


def looks(db: Broker, look: Callable[[], T]) -> Iterator[T]:
    """Yield what a look gives, now and each time that something was stored.

    A server that goes away is waited for, as followers do.
    """
    reached = time.monotonic()
    while True:
        try:
            for _ in wakeups(db.store, _PAUSE):
                found = look()
                reached = time.monotonic()
                yield found
        except StoreAway:
            if time.monotonic() >= reached + AWAY:
                raise
        time.sleep(_PAUSE)


@dataclass(frozen=True)
class RunChange:
    """Something that happened to a run: it began, it has more events, or it ended."""

    what: Literal["started", "grew", "ended"]
    run: Run
    status: str
    num_events: int | None

    def record(self) -> dict[str, Any]:
        """Return it for programs."""
        start = self.run.start
        named = {key: start.get(key) for key in ("uid", "scan_id", "time", "plan_name")}
        return {"what": self.what, **named, "status": self.status, "num_events": self.num_events}

    def __str__(self) -> str:
        count = self.num_events
        events = "" if count is None else f"{count:,} event{'' if count == 1 else 's'}"
        if self.what == "grew":
            return events
        said = "started" if self.what == "started" else f"ended: {self.status}"
        return f"{said}, {events}" if self.num_events else said


class Watch:
    """Sees what became of the newest runs since it looked last.

    Parameters
    ----------
    db
        The broker.
    most
        How many of the runs that are known already are looked at again.
    """

    def __init__(self, db: Broker, most: int) -> None:
        self._db = db
        self._most = most
        self._known = {run.uid: _progress(run) for run in islice(db(), most)}

    def look(self) -> list[RunChange]:
        """Return what happened, the oldest run first."""
        seen: dict[str, tuple[str, int | None]] = {}
        found: list[RunChange] = []
        again = 0
        for run in self._db():
            seen[run.uid] = now = _progress(run)
            before = self._known.get(run.uid)
            found[:0] = _news(run, before, now)
            again += before is not None
            if again >= self._most:
                break
        self._known = seen
        return found


def _progress(run: Run) -> tuple[str, int | None]:
    return run.status, value_of(run, "num_events")


def _news(
    run: Run, before: tuple[str, int | None] | None, now: tuple[str, int | None]
) -> Iterator[RunChange]:
    """Yield what happened between two looks at a run."""
    status, events = now
    if before is None:
        yield RunChange("started", run, status, events)
    if before == now:
        return
    if status not in GOES_ON:
        yield RunChange("ended", run, status, events)
    elif before is not None and before[1] != events:
        yield RunChange("grew", run, status, events)
