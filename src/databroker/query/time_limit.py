"""How long a question may take: who asks for others sets a limit, and what takes time heeds it.

A limit holds for what one thread does. It ends at its time, or sooner, when nobody waits for the
answer any more.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from ..errors import QueryTimeout

P = ParamSpec("P")
T = TypeVar("T")

_CURRENT: ContextVar[TimeLimit | None] = ContextVar("time_limit", default=None)


class TimeLimit:
    """So many seconds, from now on.

    Parameters
    ----------
    seconds
        How many.

    Examples
    --------
    >>> TimeLimit(60).run(len, "what takes time")
    15
    >>> TimeLimit(0).run(check_time)
    Traceback (most recent call last):
    databroker.errors.QueryTimeout: This takes longer than 0 s, which is the limit here. ...
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._interrupts: list[Callable[[], object]] = []

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function gives within this limit."""
        token = _CURRENT.set(self)
        try:
            return function(*args, **kwargs)
        finally:
            _CURRENT.reset(token)

    def end(self) -> None:
        """Have it be over, for another thread: what is waited for is interrupted."""
        with self._lock:
            self._end = min(self._end, time.monotonic())
            for interrupt in self._interrupts:
                interrupt()

    @property
    def left(self) -> float:
        """So many seconds are left; 0 if it is over."""
        return max(self._end - time.monotonic(), 0.0)

    def check(self) -> None:
        """See that there is time left.

        Raises
        ------
        QueryTimeout
            There is none.
        """
        if not self.left:
            raise self.exceeded()

    def exceeded(self) -> QueryTimeout:
        """Return what to raise where the time did not suffice."""
        return QueryTimeout(
            f"This takes longer than {self.seconds:g} s, which is the limit here. Ask for less at "
            "once: give a range of time, or search by what the source has an index of."
        )

    @contextlib.contextmanager
    def interrupting(self, interrupt: Callable[[], object]) -> Iterator[None]:
        """Have something interrupted, by another thread, when the limit ends within this."""
        self.check()
        with self._lock:
            self._interrupts.append(interrupt)
        try:
            yield
        finally:
            with self._lock:  # and wait until it was interrupted, if it is just now
                self._interrupts.remove(interrupt)


def time_limit() -> TimeLimit | None:
    """Return the limit of what this thread does; None without one."""
    return _CURRENT.get()


@contextlib.contextmanager
def without_limit() -> Iterator[None]:
    """Let what is done within take its time: what is being written comes to its end."""
    token = _CURRENT.set(None)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def check_time() -> None:
    """See that there is time left for what this thread does.

    Raises
    ------
    QueryTimeout
        There is none.
    """
    if (limit := _CURRENT.get()) is not None:
        limit.check()
