"""Telling what the handler of a signal raised from what a call raised; letting none come."""

from __future__ import annotations

import _imp
import _signal  # type: ignore[import-not-found]
import _thread
import contextlib
import functools
import importlib
import signal
import sys
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import TypeVar

E = TypeVar("E", bound=BaseException)
T = TypeVar("T")


def from_signal(error: BaseException) -> bool:
    """Tell whether an exception comes from the handler of a signal.

    An alarm's TimeoutError is an OSError too, and may be raised amid anything; it says
    nothing about what was being done, and must reach who set the alarm as it is.
    """
    # Not by `signal.getsignal`, which makes enums: it takes a millisecond to ask for all.
    numbers = range(1, signal.NSIG)
    handlers = {_code(each) for each in map(_signal.getsignal, numbers) if callable(each)} - {None}
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code in handlers:
            return True
        step = step.tb_next
    return False


def not_from_signal(*kinds: type[E]) -> tuple[type[E], ...]:
    """Return what an ``except`` catches: these kinds, but none if a signal's handler raised."""
    error = sys.exception()
    return () if error is not None and from_signal(error) else kinds


def interrupt_behind(error: BaseException, around: BaseException | None) -> BaseException | None:
    """Return the interrupt that led to an error, which was not being handled before."""
    cause = error.__context__
    while cause is not None and cause is not around:
        if not isinstance(cause, Exception) or from_signal(cause):
            return cause
        cause = cause.__context__
    return None


class suppressed(contextlib.suppress):
    """Suppress some exceptions, but not those from the handler of a signal.

    A generator would, since Python 3.12, hold what it suppresses in a circle, with all its frames.
    """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return super().__exit__(kind, error, traceback) and not (error and from_signal(error))


def without_signals(job: Callable[[], T]) -> T:
    """Do something in another thread, where no signal is seen to, and return what it returns.

    It is for imports: of one that is interrupted half a module may stay behind, with which nothing
    works from then on; and of an alarm's TimeoutError it may make a module that is not there. It is
    also for what takes long and does not let itself be interrupted: to wait for it does.
    """
    _release_imports()
    done = _thread.allocate_lock()
    done.acquire()
    results: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            results.append(job())
        except BaseException as error:
            failed.append(error)
        finally:
            done.release()

    try:
        # Unlike this, a `threading.Thread` cannot be started and waited for safely amid signals.
        _thread.start_new_thread(run, ())
    except RuntimeError:  # no thread begins while Python 3.12 ends
        run()
    done.acquire()
    if failed:
        raise failed[0]
    return results[0]


def whole_module(name: str) -> ModuleType:
    """Import a module of which no interrupt leaves half behind."""
    return without_signals(lambda: importlib.import_module(name))


def _release_imports() -> None:
    """Release the lock of all imports, which Python keeps if one is interrupted at a bad moment.

    This thread would not notice, but no other one could ever import anything.
    """
    with contextlib.suppress(RuntimeError):  # this thread does not hold it, or no more
        while True:
            _imp.release_lock()


def _code(handler: object) -> object:
    """Return the code of a handler in Python, or None."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    return getattr(handler, "__code__", getattr(type(handler).__call__, "__code__", None))
