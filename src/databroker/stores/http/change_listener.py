"""Listening for changes on a server: one thread does so for all who wait."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from ..._util.signals import not_from_signal, without_signals
from ..._util.waiters import Waiters

if TYPE_CHECKING:
    from .connection import Connection

_LINGERS = 10.0
"""Seconds for which it goes on to listen after somebody waited: they will again."""

_HEARTBEAT = 15.0
_PAUSES = (0.1, 5.0)
"""Seconds between two tries to be connected, at first and at most."""


class Heard(NamedTuple):
    """What was told until now: how many times, and which state last."""

    times: int
    state: Any


class ChangeListener:
    """Hears of changes on a server, as long as somebody waits for them.

    No lock guards it, which an interrupt could leave locked.

    Parameters
    ----------
    connection
        The source on the server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_closed = False
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._waiters = Waiters()
        self._heard = Heard(0, None)
        self._hears: bool | None = None  # not yet known, while it is being connected
        self._waiting, self._until = set[object](), 0.0
        self._thread: threading.Thread | None = None

    @property
    def times(self) -> int:
        """How many times something was told until now."""
        return self._heard.times

    @property
    def hears(self) -> bool:
        """Whether a change would be told now."""
        return bool(self._hears)

    def listen(self) -> None:
        """Begin to listen, as somebody will wait."""
        self._see_to_forks()
        self._until = time.monotonic() + _LINGERS
        self._listen()

    def wait(self, times: int, state: Any, timeout: float) -> bool | None:
        """Wait until more is told; tell whether it was, or None if nothing can be heard.

        Parameters
        ----------
        times
            How many times something had been told before `state` was asked for.
        state
            What is known: to be told just that is nothing new.
        timeout
            Seconds to wait at most.
        """

        def is_new() -> bool:
            return self._heard.times != times and self._heard.state != state

        self._see_to_forks()
        me = object()
        try:
            self._waiting.add(me)
            self._listen()
            self._waiters.wait_for(lambda: is_new() or self._hears is False, timeout)
            return is_new() or (False if self._hears else None)
        finally:
            self._until = time.monotonic() + _LINGERS
            self._waiting.discard(me)

    def close(self) -> None:
        """Listen no more."""
        self._is_closed = True

    def _see_to_forks(self) -> None:
        if self._pid != os.getpid():
            self._begin()  # the thread is the parent's

    def _listen(self) -> None:
        """See to it that a thread listens. Of two that begin at once, the first one ends itself."""
        if self._thread is None or not self._thread.is_alive():
            self._hears = None
            self._thread = threading.Thread(
                target=self._run, name="databroker-listens", daemon=True
            )
            without_signals(self._thread.start)

    def _run(self) -> None:
        pause, longest = _PAUSES
        while self._is_wanted():
            try:
                self._hear()
                pause = _PAUSES[0]
            except not_from_signal(Exception):  # whatever something on the way has answered
                pause = min(2 * pause, longest)
            if not self._is_wanted():
                return
            self._note(None, hears=False)  # until it is connected again, who waits asks
            time.sleep(pause * random.uniform(0.5, 1.0))  # many may have been cut off at once

    def _is_wanted(self) -> bool:
        """Tell whether somebody waits, or did just now; the thread is to end if not."""
        if self._is_this and not self._is_waited_for:
            self._thread = None
            if self._is_waited_for:  # since just now, by who may have thought that it goes on
                self._listen()
        return self._is_this

    @property
    def _is_this(self) -> bool:
        return self._thread is threading.current_thread()

    @property
    def _is_waited_for(self) -> bool:
        return not self._is_closed and (bool(self._waiting) or time.monotonic() < self._until)

    def _hear(self) -> None:
        asked: dict[str, Any] = {
            "heartbeat": max(0.1, min(_HEARTBEAT, self._connection.timeout / 3))
        }
        told = self._heard.state
        if told is not None:
            asked["cursor"] = json.dumps(told)
        with self._connection.answer("GET", f"live?{urlencode(asked)}", b"", ()) as response:
            for name, data in events(iter(response.readline, b"")):
                if name == "changed":
                    self._note(json.loads(data)["state"])
                elif self._hears is not True:
                    self._note(None)
                if not self._is_wanted():
                    return

    def _note(self, state: Any, hears: bool = True) -> None:
        self._hears = hears
        if state is not None:
            self._heard = Heard(self._heard.times + 1, state)
        self._waiters.wake()


def events(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    r"""Yield the name and the data of each event; those of a comment are empty.

    Examples
    --------
    >>> list(events([b": still there\n", b"event: stop\n", b"data: {}\n", b"\n"]))
    [('', ''), ('stop', '{}')]
    """
    name, data = "", list[str]()
    for line in lines:
        key, _, value = line.decode().rstrip("\r\n").partition(":")
        if not key and not value and data:
            yield name, "\n".join(data)
            name, data = "", []
        elif line.startswith(b":"):
            yield "", ""
        elif key == "event":
            name = value.removeprefix(" ")
        elif key == "data":
            data.append(value.removeprefix(" "))
