"""When a request is sent again whose answer did not begin."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.client import HTTPResponse

PAUSES = (0.0, 0.1, 0.4)
"""Seconds before a request is sent again. The first is for a connection that the server has
closed while nothing was asked."""

_BUSY = (429, 503)
"""What a server says that has too much to do, perhaps with how long to wait (Retry-After)."""

_LONGEST = 10.0
"""Seconds that a busy server can have one question wait, all in all."""


class Retries:
    """The tries of one request: each may be sent again, as what comes twice changes nothing.

    Parameters
    ----------
    pauses
        Seconds before each further try after a failure.
    """

    def __init__(self, pauses: Sequence[float]) -> None:
        self._pauses = iter(pauses)
        self._patience = _LONGEST
        self._next = 0.0

    def helps(self, error: Exception) -> bool:
        """Tell whether another try may succeed where one failed."""
        is_slow = isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError)
        pause = None if is_slow else next(self._pauses, None)
        self._next = pause or 0.0
        return pause is not None

    def is_wanted(self, response: HTTPResponse) -> bool:
        """Tell whether a server wants to be asked again soon."""
        said = response.headers.get("Retry-After", "") if response.status in _BUSY else ""
        if not said.isdecimal() or float(said) > self._patience:
            return False
        self._next = float(said)
        self._patience -= max(self._next, 0.1)
        return True

    def wait(self) -> None:
        """Wait until it is time for the next try."""
        time.sleep(self._next)
