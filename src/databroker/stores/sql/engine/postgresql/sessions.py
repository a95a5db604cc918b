"""The sessions that a process has with a server, which its threads borrow.

Whoever needs one makes it if none is free. So what is wrong is known at once, and by whom it
concerns; what an interrupt lost is forgotten by itself.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

MOST = 16
"""So many are open in a process at most; whoever needs another one waits."""

_IDLE = 600.0  # seconds, after which one that nobody borrowed is closed
_PATIENCE = 30.0  # seconds, within which another thread must give one back
_PAUSE = 0.01


class Session(psycopg.Connection[tuple[Any, ...]]):
    """A session, which ends when nobody has it any more, but for those of another process."""

    def __del__(self, *_: Any) -> None:
        """Say nothing: psycopg sees to the rest."""


class Sessions:
    """Those of one process with one database."""

    def __init__(self, connect: Callable[[], Session], outage: float) -> None:
        self._connect, self._outage = connect, outage
        self._making = threading.Lock()
        self._all: weakref.WeakSet[Session] = weakref.WeakSet()
        self._idle: list[tuple[Session, float]] = []  # since when, the newest last
        self._is_closed = False

    def take(self) -> Session:
        """Return a session that is the caller's, until it gives it back."""
        begun = time.monotonic()
        while True:
            try:
                if (session := self._unused() or self._made()) is not None:
                    return session
            except psycopg.OperationalError:  # the server may be about to be restarted
                if time.monotonic() - begun > self._outage:
                    raise
            if time.monotonic() - begun > _PATIENCE:
                raise psycopg.OperationalError(
                    f"all {MOST} sessions of this process have been busy for {_PATIENCE:.0f} s"
                )
            time.sleep(_PAUSE)

    def give_back(self, session: Session) -> None:
        """Let others have a session; one that is amid something is closed."""
        if self._is_closed or session.info.transaction_status != TransactionStatus.IDLE:
            session.close()
        else:
            now = time.monotonic()
            self._idle.append((session, now))
            with contextlib.suppress(IndexError):  # others take them, too
                if now - self._idle[0][1] > _IDLE:
                    self._idle.pop(0)[0].close()

    def close(self) -> None:
        """Close what nobody uses; what is in use is closed when it is given back."""
        self._is_closed = True
        self.drop_unused()

    def drop_unused(self) -> None:
        """Close what nobody uses: where one session has ended, others have mostly, too."""
        while (session := self._unused()) is not None:
            session.close()

    def _unused(self) -> Session | None:
        with contextlib.suppress(IndexError):
            while True:
                session, _ = self._idle.pop()
                if not session.closed:
                    return session
        return None

    def _made(self) -> Session | None:
        with self._making:
            if sum(not session.closed for session in list(self._all)) >= MOST:
                return None
            session = self._connect()
            self._all.add(session)
            return session
