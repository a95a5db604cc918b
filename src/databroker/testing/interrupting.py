"""Interrupts at chosen moments, so that a test tries each of them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Calls", "interrupted_after"]


class Calls:
    """How many calls were made or came back from C, and whether one of them was interrupted."""

    def __init__(self) -> None:
        self.made = 0
        self.struck = False

    def __bool__(self) -> bool:
        return self.struck


@contextmanager
def interrupted_after(calls: float, raised: type[BaseException]) -> Iterator[Calls]:
    """Raise something after so many calls: where a signal would be seen to, which is after calls.

    A real signal is sent, and its handler raises. Where there are fewer calls, nothing happens.
    What others' code calls in `threading` is spared: a `Condition` that is interrupted while it
    is entered or left stays locked for ever, which no caller could help.

    Examples
    --------
    >>> with interrupted_after(float("inf"), KeyboardInterrupt) as calls:
    ...     _ = sorted([2, 1]), len([3])
    >>> calls.made > 1, bool(calls)
    (True, False)
    """
    counted = Calls()

    def strike(*_: Any) -> None:
        raise raised

    def count(frame: FrameType, what: str, _function: Any) -> None:
        if what in ("call", "c_return"):
            counted.made += 1
            if counted.made > calls and not counted.struck and not _is_in_a_lock_of_others(frame):
                sys.setprofile(None)
                counted.struck = True
                signal.raise_signal(signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, strike)
    sys.setprofile(count)
    try:
        yield counted
    finally:
        sys.setprofile(None)
        signal.signal(signal.SIGUSR1, before)


def _is_in_a_lock_of_others(frame: FrameType) -> bool:
    """Tell whether code of `threading` runs that databroker did not call."""
    if frame.f_globals.get("__name__") != "threading" or frame.f_back is None:
        return False
    caller = frame.f_back.f_globals.get("__name__") or ""
    return not caller.startswith(("databroker.", "threading"))
