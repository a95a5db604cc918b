"""The runs of the demonstration: real plans for simulated devices, made anew for each run.

Each `DemoRun` names a plan, what its operator would note, and how it ends.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_ROWS, _COLUMNS = 48, 64
_SHOTS = 3


class ShutterClosed(RuntimeError):
    """What the run that fails fails of."""


class Devices:
    """A bench of simulated devices, whose camera writes its files into a folder."""

    def __init__(self, images: Path) -> None:
        from ophyd import Signal
        from ophyd.sim import Syn2DGauss, SynAxis, SynGauss, SynSignal, SynSignalWithRegistry

        # Some devices read once while they are made: what they read comes first.
        self._noise = np.random.default_rng(0)
        self._shots = itertools.count()
        self.motor = SynAxis(name="motor")
        self.motor1 = SynAxis(name="motor1")
        self.motor2 = SynAxis(name="motor2")
        self.eta = SynAxis(name="eta")
        self.det = SynGauss("det", self.motor, "motor", center=0, Imax=1, sigma=1)
        self.det4 = Syn2DGauss(
            "det4", self.motor1, "motor1", self.motor2, "motor2", center=(0, 0), Imax=1
        )
        self.eta_det = SynGauss("eta_det", self.eta, "eta", center=0.5, Imax=1000, sigma=0.8)
        self.noisy_det = SynGauss(
            "noisy_det",
            self.motor,
            "motor",
            center=0,
            Imax=1,
            noise="uniform",
            noise_multiplier=0.1,
            random_state=np.random.RandomState(0),
        )
        self.shuttered = SynSignal(func=self._shot, name="shuttered_det")
        self.img = SynSignalWithRegistry(func=self._image, name="img", save_path=str(images))
        self.temperature = Signal(name="temperature", value=295.15)
        self.ring_current = Signal(name="ring_current", value=400.0)
        self.eta.subscribe(self._decay, run=False)

    def _decay(self, **_: Any) -> None:
        """Let the ring lose a little current whenever eta has moved."""
        self.ring_current.put(self.ring_current.get() - 0.125)

    def _image(self) -> NDArray[np.uint16]:
        """Return a bright spot that follows the motor, on a noisy ground."""
        position = self.motor.read()["motor"]["value"]
        rows, columns = np.mgrid[:_ROWS, :_COLUMNS]
        distance = (rows - _ROWS / 2) ** 2 + (columns - _COLUMNS / 2 - 10 * position) ** 2
        spot = 4000 * np.exp(-distance / 50) + self._noise.normal(100, 5, rows.shape)
        image: NDArray[np.uint16] = spot.astype(np.uint16)
        return image

    def _shot(self) -> float:
        """Return a reading, until the shutter closes."""
        number = next(self._shots)
        if number > _SHOTS:
            raise ShutterClosed("the shutter closed during the scan")
        return 1.0 / (1 + number)


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
