"""A thread that calls a function with what a follower yields."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol, Self


class Following(Protocol):
    """What a follower is to a thread that iterates over it."""

    @property
    def cursor(self) -> dict[str, Any]:
        """Where it stands."""

    def __iter__(self) -> Iterator[Any]:
        """Go on."""

    def stop(self) -> None:
        """End it when it looks next, which is soon."""

    def close(self) -> None:
        """End it now."""


class Subscription:
    """Calls a function with each thing that a follower yields, until it ends or is stopped.

    Obtained as ``db.watch().subscribe(callback)``, and in the same way from followers of a run or
    a stream. An error of the function, or of the follower, ends it: it is shown at once, as in any
    thread, and raised by `wait`, `stop` and the end of ``with``.
    """

    def __init__(self, follower: Following, callback: Callable[..., object]) -> None:
        self._follower = follower
        self._callback = callback
        self._calling = threading.RLock()  # a callback may stop what called it
        self._is_stopped = False
        self._error: BaseException | None = None
        self._cursor = follower.cursor
        self._thread = threading.Thread(target=self._run, name="databroker-follower", daemon=True)
        self._thread.start()

    @property
    def cursor(self) -> dict[str, Any]:
        """How far it has come: after what the function finished last. JSON can hold it."""
        return self._cursor

    @property
    def is_running(self) -> bool:
        """Whether the function may still be called."""
        return self._thread.is_alive() and not self._is_stopped

    def stop(self) -> None:
        """Call the function no more, and wait for its last call to return.

        Raises
        ------
        BaseException
            What the function or the follower raised.
        """
        self._stop()
        self._tell()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; tell whether it has.

        Parameters
        ----------
        timeout
            Seconds to wait at most; None to wait as long as it takes.

        Raises
        ------
        BaseException
            What the function or the follower raised.
        """
        self._thread.join(timeout)
        self._tell()
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stop()
        if kind is None:
            self._tell()

    def _stop(self) -> None:
        with self._calling:
            self._is_stopped = True
        self._follower.stop()

    def _tell(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            for each in self._follower:
                if not self._is_given(each):
                    return
        except BaseException as error:
            if self._is_stopped and self._error is None:
                return  # as the store was closed meanwhile
            self._error = error
            raise
        finally:
            self._follower.close()

    def _is_given(self, each: Any) -> bool:
        """Call the function with what came, unless it was stopped; tell whether it was called."""
        with self._calling:
            if self._is_stopped:
                return False
            try:
                self._callback(*(each if isinstance(each, tuple) else [each]))
            except BaseException as error:
                self._error = error
                raise
            self._cursor = self._follower.cursor
            return True
