"""Scans as the RunEngine saves them, of which it is known what they look like."""

import numpy as np

from helpers.run_builder import RunBuilder, number

MOTOR = number(units="mm", precision=3)
DET = number(units="counts")


def scanned(*motors, **more):
    """What a start document says of a scan of some motors."""
    dimensions = [[[motor], "primary"] for motor in motors]
    return {"motors": list(motors), "hints": {"dimensions": dimensions}, **more}


def line(db, uid="line", points=5):
    """A motor, a hinted detector and its aux, and one that is not hinted."""
    run = RunBuilder(db, uid, **scanned("motor"), sample={"name": "Ni/Cu", "mass": 2.5}, user="Ana")
    keys = {"motor": MOTOR, "det": DET, "aux": DET, "temp": number(units="K")}
    owner = run.descriptor(keys, hinted=["motor", "det", "aux"], config={"dev_det": {"gain": 2}})
    for n in range(points):
        run.event(owner, motor=n / 2, det=n**2, aux=-n, temp=295.25)
    return run.stop()


def grid(db, uid="grid", rows=3, columns=4, done=None, off=0.0):
    """A snaking scan of a grid, of which so many points are done; `off` makes it irregular."""
    start = scanned(
        *("y", "x"),
        shape=[rows, columns],
        extents=[[0, rows - 1], [0, columns - 1]],
        snaking=[False, True],
    )
    start["hints"]["gridding"] = "rectilinear"
    run = RunBuilder(db, uid, **start)
    owner = run.descriptor({"y": MOTOR, "x": MOTOR, "det": DET}, hinted=["y", "x", "det"])
    places = [
        (y, x if y % 2 == 0 else columns - 1 - x) for y in range(rows) for x in range(columns)
    ]
    for n, (y, x) in enumerate(places[:done]):
        run.event(owner, y=float(y), x=x + off * n, det=10 * y + x)
    return run.stop()


def images(db, uid="images", frames=3):
    """A motor and an image, which the events hold."""
    run = RunBuilder(db, uid, **scanned("motor"))
    key = number("array", [4, 6], dtype_numpy="<u2")
    owner = run.descriptor({"motor": MOTOR, "img": key}, hinted=["motor", "img"])
    for n in range(frames):
        run.event(owner, motor=float(n), img=np.arange(24, dtype="u2").reshape(4, 6) + 100 * n)
    return run.stop()


def odd(db, uid="odd"):
    """Fields of all kinds, with names and values that files have no room for."""
    run = RunBuilder(db, uid, **{"a/b": {"c-d": [1, "x", None], "": []}, "text": "a\0b\ud800"})
    keys = {
        "time": number(units="s"),
        "det-1": number(units="µA"),
        "det.1": number(),
        "2θ/ω": number(units="deg"),
        "open": number("boolean"),
        "some": number(),
        "note": number("string"),
        "mixed": number("array", []),
        "ragged": number("array", [None]),
        "wave": number("array", [3]),
        "big": number("integer"),
    }
    owner = run.descriptor(keys, name="primary 1")
    texts = ["béta", None, "a\0b"]
    for n, text in enumerate(texts):
        data = {"time": n / 4, "det-1": n / 3, "det.1": n, "2θ/ω": float("nan"), "open": n == 1}
        data |= {"some": None if n == 1 else n, "note": text, "mixed": [1, {"a": 2}, True][n]}
        data |= {"ragged": list(range(n)), "wave": [n, n + 1, n + 2.5], "big": 2**70 + n}
        run.event(owner, data=data)
    return run.stop()
