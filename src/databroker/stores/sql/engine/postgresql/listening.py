"""Being told by the server that somebody has written."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator

from psycopg import OperationalError, errors

from .sessions import Session, Sessions


def channel(lock: int) -> str:
    """Return the name of the channel on which writers of a schema tell others."""
    return f"databroker_{lock}"


@contextlib.contextmanager
def listening(sessions: Sessions, lock: int) -> Iterator[Callable[[float], object]]:
    """Have what waits for so many seconds at most, until somebody writes."""
    session = sessions.take()
    try:
        yield functools.partial(_listen, session) if _begin(session, lock) else time.sleep
    finally:
        session.close()  # what is still told is nobody's


def _begin(session: Session, lock: int) -> bool:
    try:
        session.execute(f"LISTEN {channel(lock)}")
    except errors.ReadOnlySqlTransaction:
        return False  # a copy is not told
    return True


def _listen(session: Session, seconds: float) -> None:
    try:
        for _ in session.notifies(timeout=seconds, stop_after=1):
            pass
    except OperationalError:  # it has ended; to look now and then does as well
        time.sleep(seconds)
