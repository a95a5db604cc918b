"""Looks for several listeners: one looks, and all at the same place are sent what it found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_HOLDS = 1.0
"""Seconds for which a look holds: that a writer is gone changes no state."""


class Found(NamedTuple):
    """What a look found.

    Attributes
    ----------
    messages
        What is sent.
    cursor, place
        Where a follower is then, and what tells this from other places.
    is_over
        Whether nothing will come after that.
    """

    messages: list[bytes]
    cursor: Any
    place: bytes
    is_over: bool


@dataclass
class SharedLook:
    """A look that somebody has begun, and what it found: None where others have to look, too."""

    begun: float = field(default_factory=time.monotonic)
    found: asyncio.Future[Found | None] = field(default_factory=asyncio.Future)

    def end(self, found: Found | None) -> None:
        """Hand out what was found."""
        if not self.found.done():
            self.found.set_result(found)


class SharedLooks:
    """Looks of those who may see the same runs, in one event loop.

    A look that began after a state was seen finds all that is in it: so it holds for everybody who
    was woken by this state, and had been sent the same until then.

    Examples
    --------
    >>> async def look_twice():
    ...     looks = SharedLooks()
    ...     mine, first = looks.at("a state", "the beginning")
    ...     mine.end(Found([b"a message"], None, b"", False))
    ...     theirs, second = looks.at("a state", "the beginning")
    ...     return first, second, (await theirs.found).messages
    >>> asyncio.run(look_twice())
    (True, False, [b'a message'])
    """

    def __init__(self) -> None:
        self._state: Hashable = None
        self._looks: dict[Hashable, SharedLook] = {}

    def at(self, state: Hashable, place: Hashable) -> tuple[SharedLook, bool]:
        """Return the look from a place, and whether who asked has to look, and to end it."""
        if state != self._state:
            self._state, self._looks = state, {}
        known, oldest = self._looks.get(place), time.monotonic() - _HOLDS
        if known is not None and known.begun > oldest:
            return known, False
        self._looks = {key: look for key, look in self._looks.items() if look.begun > oldest}
        self._looks[place] = SharedLook()
        return self._looks[place], True
