"""Telling others, by way of the server, that something was written, and being told."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from psycopg import Error, OperationalError, errors

from ....._util.waiters import Waiters
from .sessions import Session, Sessions

_PAUSE = 0.05
"""Seconds after a row was told in which those that follow it are not: who waits looks as soon."""


def channel(lock: int) -> str:
    """Return the name of the channel on which writers of a schema tell others."""
    return f"databroker_{lock}"


class Bell:
    """What one process tells others, and is told by them.

    All threads that wait share one session: one of them listens on it for all.

    Parameters
    ----------
    sessions
        Those of the process with one database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._told = -_PAUSE
        self._lock = threading.Lock()
        self._waiting = 0
        self._session: Session | None = None
        self._listening = threading.Lock()  # held by the one that listens
        self._others = Waiters()

    def is_due(self) -> bool:
        """Tell whether a row that comes by itself is to be told now.

        PostgreSQL commits transactions that tell others one after the other: of rows that come by
        the thousand, twenty a second are enough.
        """
        now = time.monotonic()
        if now < self._told + _PAUSE:
            return False
        self._told = now
        return True

    @contextlib.contextmanager
    def heard(self, lock: int) -> Iterator[Callable[[float], object]]:
        """Have what waits for so many seconds at most, until somebody writes."""
        with self._lock:
            self._waiting += 1
        try:
            yield lambda seconds: self._pause(lock, seconds)
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting:
                    self._end()

    def _pause(self, lock: int, seconds: float) -> None:
        if not self._listening.acquire(blocking=False):
            self._others.wait(seconds)
            return
        try:
            self._listen(lock, seconds)
        finally:
            self._listening.release()
            self._others.wake()

    def _listen(self, lock: int, seconds: float) -> None:
        try:
            if self._session is None:
                self._session = self._sessions.take()
                self._session.execute(f"LISTEN {channel(lock)}")
            for _ in self._session.notifies(timeout=seconds, stop_after=1):
                pass
        except (OperationalError, errors.ReadOnlySqlTransaction):
            # It has ended, or is a copy, which is not told: to look now and then does as well.
            self._hang_up()
            time.sleep(seconds)
        except BaseException:
            self._hang_up()
            raise

    def _end(self) -> None:
        """Give the session back: what is told from now on is nobody's."""
        try:
            if self._session is not None:
                self._session.execute("UNLISTEN *")
                self._sessions.give_back(self._session)
                self._session = None
        except Error:
            self._hang_up()
        except BaseException:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
