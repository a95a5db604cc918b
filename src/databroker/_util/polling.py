"""Waiting for something of which nobody tells: by looking again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import chain, repeat

_PAUSES = (0.01, 0.02, 0.05)
"""Seconds between two looks; the last one again and again."""


def wait_until(
    is_so: Callable[[], bool],
    timeout: float,
    pause: Callable[[float], object] = time.sleep,
    pauses: Sequence[float] = _PAUSES,
) -> bool:
    """Ask again and again for so many seconds; tell whether it is so at last.

    A pause may end sooner than it should.
    """
    end = time.monotonic() + timeout
    for longest in chain(pauses, repeat(pauses[-1])):
        if is_so():
            return True
        left = end - time.monotonic()
        if left <= 0:
            return False
        pause(min(longest, left))
    raise AssertionError("pauses have no end")
