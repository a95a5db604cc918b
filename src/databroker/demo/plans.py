"""The runs of the demonstration: real plans, simulated devices.

Each `DemoRun` names a plan and how it ends. `perform` runs it with a RunEngine
of its own and hands every document to a callback, as a laboratory would.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..documents.kinds import Document
from .devices import Devices, ShutterClosed

__all__ = ["RUNS", "DemoRun", "perform"]

Plan = Generator[Any, Any, Any]
Callback = Callable[[str, Document], object]

_STOP_WAIT = 5.0


@dataclass(frozen=True)
class DemoRun:
    """One run of the demonstration.

    Attributes
    ----------
    key
        What marks it in its start document, under ``demo``; it never changes.
    title
        For people.
    plan
        Makes the plan from the devices.
    metadata
        What an operator would add.
    ends
        How: 'open' means that its last documents never arrive.
    points
        How many events its primary stream gets.
    """

    key: str
    title: str
    plan: Callable[[Devices], Plan]
    metadata: dict[str, Any]
    points: int
    ends: Literal["success", "fail", "abort", "open"] = "success"


def _count(devices: Devices) -> Plan:
    from bluesky.plans import count

    return count([devices.det], num=3)


def _grid(devices: Devices) -> Plan:
    from bluesky.plans import grid_scan

    return grid_scan([devices.det4], devices.motor1, -2, 2, 5, devices.motor2, -2, 2, 5)


def _with_baseline_and_monitor(devices: Devices) -> Plan:
    from bluesky.plans import scan
    from bluesky.preprocessors import SupplementalData

    extra = SupplementalData(
        baseline=[devices.motor, devices.temperature], monitors=[devices.ring_current]
    )
    plan: Plan = extra(scan([devices.eta_det], devices.eta, -3, 3, 13))
    return plan


def _images(devices: Devices) -> Plan:
    from bluesky.plans import scan

    return scan([devices.img, devices.det], devices.motor, -2, 2, 5)


def _failing(devices: Devices) -> Plan:
    from bluesky.plans import scan

    return scan([devices.shuttered], devices.motor, -1, 1, 11)


def _aborted(devices: Devices) -> Plan:
    from bluesky.plan_stubs import pause
    from bluesky.plans import rel_scan
    from bluesky.preprocessors import plan_mutator

    saved = 0

    def stop_here(message: Any) -> tuple[Plan | None, Plan | None]:
        nonlocal saved
        saved += message.command == "save"
        return None, pause() if message.command == "save" and saved == 4 else None

    plan: Plan = plan_mutator(rel_scan([devices.noisy_det], devices.motor, -1, 1, 21), stop_here)
    return plan


def _open(devices: Devices) -> Plan:
    from bluesky.plans import count

    return count([devices.det], num=20)


def _walkthrough(devices: Devices) -> Plan:
    from bluesky.plans import scan

    return scan([devices.det], devices.motor, 1, 5, num=5)


_NICKEL = {
    "name": "Ni foil",
    "composition": {"Ni": 0.98, "Fe": 0.02},
    "thickness_um": 50.0,
    "tags": ["foil", "reference"],
}

RUNS: tuple[DemoRun, ...] = (
    DemoRun(
        "count",
        "count a detector",
        _count,
        {"operator": "Dan", "purpose": "check the detector", "sample": "good sample"},
        3,
    ),
    DemoRun(
        "grid",
        "map a grid of 5 by 5",
        _grid,
        {"operator": "Ana", "purpose": "map the foil", "sample": _NICKEL, "proposal": "GUP-12345"},
        25,
    ),
    DemoRun(
        "baseline",
        "scan with baseline and monitor",
        _with_baseline_and_monitor,
        {"operator": "Dan", "purpose": "align eta", "comment": None, "shift": {"number": 2}},
        13,
    ),
    DemoRun(
        "images",
        "scan with images in files",
        _images,
        {"operator": "Ana", "purpose": "follow the spot", "sample": _NICKEL, "dark_frames": 0},
        5,
    ),
    DemoRun(
        "failed",
        "scan that fails half-way",
        _failing,
        {"operator": "Tom", "purpose": "edge scan", "sample": "bad sample"},
        3,
        "fail",
    ),
    DemoRun(
        "aborted",
        "scan that its operator aborts",
        _aborted,
        {"operator": "Tom", "purpose": "find the peak", "sample": "good sample"},
        4,
        "abort",
    ),
    DemoRun(
        "open",
        "count that never ends",
        _open,
        {"operator": "Ana", "purpose": "watch the drift", "sample": "calibrant"},
        4,
        "open",
    ),
    # The walkthrough loads db[-1] and expects this one: it stays the newest.
    DemoRun(
        "walkthrough",
        "scan across a Gaussian peak",
        _walkthrough,
        {"operator": "Dan", "purpose": "walkthrough", "sample": "good sample"},
        5,
    ),
)
"""The runs, in the order in which they are made."""


def perform(
    runs: list[DemoRun], images: Path, insert: Callback, began: Callable[[DemoRun], object]
) -> None:
    """Run the plans one after the other.

    Parameters
    ----------
    runs
        Which, in this order.
    images
        The folder for image files.
    insert
        Is handed each document, as soon as it exists.
    began
        Is told of each run before it starts.
    """
    with _run_engine() as engine:
        for run in runs:
            began(run)
            # Devices of its own: no run begins where another left a motor.
            _run_one(engine, run, Devices(images), insert)


def _run_one(engine: Any, run: DemoRun, devices: Devices, insert: Callback) -> None:
    from bluesky.utils import RunEngineInterrupted

    engine.md["scan_id"] = RUNS.index(run)  # the RunEngine adds one
    receiver = _until(insert, run.points) if run.ends == "open" else insert
    with _quiet():
        try:
            engine(run.plan(devices), receiver, demo=run.key, **run.metadata)
        except RunEngineInterrupted:
            engine.abort(reason="the operator saw enough")
            if run.ends != "abort":
                raise KeyboardInterrupt from None  # somebody pressed Ctrl-C
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
def _run_engine() -> Iterator[Any]:
    """Make a RunEngine, and end its thread when done."""
    from bluesky import RunEngine
    from bluesky.run_engine import get_bluesky_event_loop, set_bluesky_event_loop

    before = get_bluesky_event_loop()
    loop = asyncio.new_event_loop()
    try:
        # Without its own handling of Ctrl-C, which would pause instead of ending the demo.
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
