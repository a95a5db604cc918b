"""The runs of the demonstration: real plans for simulated devices.

Each `DemoRun` names a plan, what its operator would note, and how it ends.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Literal

from .devices import Devices

__all__ = ["RUNS", "DemoRun", "Plan"]

Plan = Generator[Any, Any, Any]


@dataclass(frozen=True)
class DemoRun:
    """One run of the demonstration: a plan, what an operator would add, and how it ends.

    Its key marks it in its start document, under ``demo``, and never changes. Where it ends
    'open', its last documents never arrive. Its primary stream gets so many points.
    """

    key: str
    title: str
    plan: Callable[[Devices], Plan]
    metadata: dict[str, Any]
    points: int
    ends: Literal["success", "fail", "abort", "open"] = "success"


def _plans() -> Any:
    return importlib.import_module("bluesky.plans")


def _with_baseline_and_monitor(devices: Devices) -> Plan:
    from bluesky.preprocessors import SupplementalData

    extra = SupplementalData(
        baseline=[devices.motor, devices.temperature], monitors=[devices.ring_current]
    )
    plan: Plan = extra(_plans().scan([devices.det, devices.eta_det], devices.eta, -3, 3, 13))
    return plan


def _aborted(devices: Devices) -> Plan:
    from bluesky.plan_stubs import pause
    from bluesky.preprocessors import plan_mutator

    saved = 0

    def stop_here(message: Any) -> tuple[Plan | None, Plan | None]:
        nonlocal saved
        saved += message.command == "save"
        return None, pause() if message.command == "save" and saved == 4 else None

    scan = _plans().rel_scan([devices.noisy_det], devices.motor, -1, 1, 21)
    plan: Plan = plan_mutator(scan, stop_here)
    return plan


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
        lambda devices: _plans().count([devices.det], num=3),
        {"operator": "Dan", "purpose": "check the detector", "sample": "good sample"},
        3,
    ),
    DemoRun(
        "grid",
        "map a grid of 5 by 5",
        lambda devices: _plans().grid_scan(
            [devices.det4], devices.motor1, -2, 2, 5, devices.motor2, -2, 2, 5
        ),
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
        lambda devices: _plans().scan([devices.img, devices.det], devices.motor, -2, 2, 5),
        {"operator": "Ana", "purpose": "follow the spot", "sample": _NICKEL, "dark_frames": 0},
        5,
    ),
    DemoRun(
        "failed",
        "scan that fails half-way",
        lambda devices: _plans().scan([devices.det, devices.shuttered], devices.motor, -1, 1, 11),
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
        lambda devices: _plans().count([devices.det], num=20),
        {"operator": "Ana", "purpose": "watch the drift", "sample": "calibrant"},
        4,
        "open",
    ),
    # The walkthrough loads db[-1] and expects this one: it stays the newest.
    DemoRun(
        "walkthrough",
        "scan across a Gaussian peak",
        lambda devices: _plans().scan([devices.det], devices.motor, 1, 5, num=5),
        {"operator": "Dan", "purpose": "walkthrough", "sample": "good sample"},
        5,
    ),
)
"""The runs, in the order in which they are made."""
