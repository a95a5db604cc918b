"""Simulated devices, made anew for each run."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Devices", "ShutterClosed"]

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
