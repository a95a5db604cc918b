"""How the runs of the demonstration are made: with a RunEngine, as in a laboratory."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..documents.kinds import Document
from .plans import RUNS, DemoRun, Devices, ShutterClosed

Callback = Callable[[str, Document], object]

_STOP_WAIT = 5.0


def perform(
    runs: list[DemoRun], images: Path, insert: Callback, began: Callable[[DemoRun], object]
) -> None:
    """Run the plans one after the other; each document is handed on as soon as it exists.

    Examples
    --------
    >>> kinds = []
    >>> perform([RUNS[0]], Path("."), lambda kind, doc: kinds.append(kind), lambda run: None)
    >>> kinds
    ['start', 'descriptor', 'event', 'event', 'event', 'stop']
    """
    with _interrupted_between() as check, _run_engine() as engine:
        for run in runs:
            began(run)
            # Devices of its own: no run begins where another left a motor.
            _run_one(engine, run, Devices(images), insert)
            check()


def _run_one(engine: Any, run: DemoRun, devices: Devices, insert: Callback) -> None:
    from bluesky.utils import RunEngineInterrupted

    engine.md["scan_id"] = RUNS.index(run)  # the RunEngine adds one
    receiver = _until(insert, run.points) if run.ends == "open" else insert
    with _quiet():
        try:
            engine(run.plan(devices), receiver, **run.metadata, demo=run.key)
        except RunEngineInterrupted:
            if run.ends != "abort":
                raise
            engine.abort(reason="the operator saw enough")
        except ShutterClosed:
            if run.ends != "fail":
                raise


def _until(insert: Callback, events: int) -> Callback:
    """Pass documents on until so many events have come: then the program is gone, as it were."""
    seen = 0

    def receive(kind: str, doc: Document) -> None:
        nonlocal seen
        if seen < events:
            insert(kind, doc)
        seen += kind == "event"

    return receive


@contextlib.contextmanager
def _interrupted_between() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C wait until a run is over; it takes a moment, and a RunEngine dislikes less."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None  # only the main thread is ever interrupted
        return
    pressed = False

    def note(number: int, frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)  # the next one is not put off

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    # None stands for a handler that Python did not set and cannot set again.
    before = signal.getsignal(signal.SIGINT) or signal.SIG_DFL
    signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _run_engine() -> Iterator[Any]:
    """Make a RunEngine, and end its thread when done."""
    from bluesky import RunEngine
    from bluesky.run_engine import get_bluesky_event_loop, set_bluesky_event_loop

    before = get_bluesky_event_loop()
    loop = asyncio.new_event_loop()
    try:
        # Its own handling of Ctrl-C would pause a run instead of ending the demonstration.
        yield RunEngine({}, loop=loop, context_managers=[])
    finally:
        set_bluesky_event_loop(before)
        _end(loop)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    # The RunEngine runs its loop in a thread and never ends it.
    if loop.is_running():
        loop.call_soon_threadsafe(loop.stop)
        deadline = time.monotonic() + _STOP_WAIT
        while loop.is_running() and time.monotonic() < deadline:
            time.sleep(0.005)
    if not loop.is_running():
        loop.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what the RunEngine prints and logs about failed and aborted runs."""
    logger = logging.getLogger("bluesky")
    propagate = logger.propagate
    silent = logging.NullHandler()
    logger.addHandler(silent)
    logger.propagate = False
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.removeHandler(silent)
        logger.propagate = propagate
