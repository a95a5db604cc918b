"""Runs of a RunEngine that have all that Tiled's writer keeps in ways of its own."""

import contextlib

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
from bluesky import RunEngine
from ophyd.sim import SynSignal, hw

SCAN = {"sample": {"name": "Ni", "sizes": [1.5, 2]}, "purpose": "good sample", "flag": True}


def _scan(devices):
    plan = bp.scan([devices.det, devices.det1], devices.motor, -1, 1, 5, md=SCAN)
    return bpp.baseline_wrapper(plan, [devices.motor1, devices.motor2])


def _monitored(devices):
    return bpp.monitor_during_wrapper(bp.count([devices.det], 2), [devices.rand])


def _failed(devices):
    @bpp.run_decorator(md={"plan_name": "failed"})
    def inner():
        yield from bps.trigger_and_read([devices.det])
        raise RuntimeError("the beam is gone")

    yield from inner()


def _reconfigured(devices):
    """A stream of two descriptors."""

    @bpp.run_decorator(md={"plan_name": "reconfigured"})
    def inner():
        yield from bps.trigger_and_read([devices.det])
        yield from bps.sleep(0.01)
        yield from bps.configure(devices.det, {"Imax": 2})
        yield from bps.sleep(0.01)
        yield from bps.trigger_and_read([devices.det])

    yield from inner()


def _odd_values(_):
    """Events with values of many kinds."""
    values = {
        "text": "a ü",
        "flag": True,
        "count": 5,
        "large": 2**53 + 1,
        "few": [1.5, 2.5, 3.5],
        "nan": float("nan"),
    }
    signals = [
        SynSignal(func=lambda value=value: value, name=name) for name, value in values.items()
    ]

    @bpp.run_decorator(md={"plan_name": "odd"})
    def inner():
        for _ in range(2):
            yield from bps.trigger_and_read(signals)

    yield from inner()


def perform(callbacks, folder):
    """Perform all of them; return their uids by what they are. One of them never ends."""
    folder.mkdir()
    devices = hw(save_path=str(folder))
    engine = RunEngine({})
    uids = {}

    def emit(kind, doc):
        if kind == "start":
            uids[plans[len(uids)]] = doc["uid"]
        if (kind, [*uids][-1]) != ("stop", "running"):
            for callback in callbacks:
                callback(kind, doc)

    engine.subscribe(emit)
    performed = {
        "scan": _scan(devices),
        "image": bp.count([devices.direct_img], 3),
        "files": bp.count([devices.img], 3),
        "monitored": _monitored(devices),
        "failed": _failed(devices),
        "odd": _odd_values(devices),
        "reconfigured": _reconfigured(devices),
        "running": bp.count([devices.det], 2),
    }
    plans = [*performed]
    for plan in performed.values():
        with contextlib.suppress(RuntimeError):
            engine(plan)
    return uids
