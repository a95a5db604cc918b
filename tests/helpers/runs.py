"""Runs to try the interface on: an everyday one, and odd ones."""

import numpy as np

NUMBER = {"dtype": "number", "shape": [], "source": "sim"}
INTEGER = {"dtype": "integer", "shape": [], "source": "sim", "units": "mm"}
IMAGE = {"dtype": "array", "shape": [2, 3], "source": "sim"}
EXTERNAL = {"dtype": "array", "shape": [2, 3], "source": "sim", "external": "FILESTORE:"}

FIRST = 1_600_000_000.0


def start(name, time=FIRST, **metadata):
    return "start", {
        "uid": f"{name}-run",
        "time": time,
        "scan_id": int(time - FIRST) + 1,
        "plan_name": "scan",
        "detectors": ["det"],
        "motors": ["motor"],
        "sample": {"name": "Ni", "mass": 2.5},
        **metadata,
    }


def stop(name, time=FIRST + 10, **metadata):
    return "stop", {
        "uid": f"{name}-stop",
        "run_start": f"{name}-run",
        "time": time,
        "exit_status": "success",
        "reason": "",
        **metadata,
    }


def descriptor(name, uid, stream, keys, time=FIRST + 1, velocity=1):
    return "descriptor", {
        "uid": f"{name}-{uid}",
        "run_start": f"{name}-run",
        "time": time,
        "name": stream,
        "data_keys": keys,
        "object_keys": {key.partition("_")[0]: [key] for key in keys},
        "configuration": {
            "motor": {
                "data": {"motor_velocity": velocity},
                "timestamps": {"motor_velocity": time},
                "data_keys": {"motor_velocity": INTEGER},
            },
            "det": {"data": {}, "timestamps": {}, "data_keys": {}},
        },
        "hints": {},
    }


def event(name, uid, seq_num, data, time=None, **more):
    time = FIRST + 1 + seq_num if time is None else time
    return "event", {
        "uid": f"{name}-{uid}-{seq_num}",
        "descriptor": f"{name}-{uid}",
        "seq_num": seq_num,
        "time": time,
        "data": data,
        "timestamps": dict.fromkeys(data, time),
        "filled": {},
        **more,
    }


def plain(name="plain", time=FIRST, **metadata):
    """A scan of five points, with a baseline before and after."""
    keys = {"det": NUMBER, "motor": INTEGER, "motor_setpoint": NUMBER}
    return [
        start(name, time, **metadata),
        descriptor(name, "base", "baseline", {"temperature": NUMBER}),
        event(name, "base", 1, {"temperature": 295.0}, FIRST + 1.5),
        descriptor(name, "main", "primary", keys),
        *(
            event(name, "main", n, {"det": 1 / n, "motor": n, "motor_setpoint": float(n)})
            for n in range(1, 6)
        ),
        event(name, "base", 2, {"temperature": 296.0}, FIRST + 9),
        stop(name, time + 10),
    ]


def two_sets_of_keys(name="two_keys"):
    """Two descriptors of one stream with different data keys; their events alternate."""
    return [
        start(name),
        descriptor(name, "one", "primary", {"det": NUMBER, "motor": INTEGER}),
        event(name, "one", 1, {"det": 0.5, "motor": 1}),
        descriptor(name, "two", "primary", {"det": NUMBER, "extra": NUMBER}, FIRST + 3),
        event(name, "two", 3, {"det": 0.25, "extra": 7.0}),
        event(name, "one", 2, {"det": 0.75, "motor": 2}),
        stop(name),
    ]


def reconfigured(name="reconfigured"):
    """The configuration of a device changes during the run."""
    keys = {"det": NUMBER, "motor": INTEGER}
    return [
        start(name),
        descriptor(name, "one", "primary", keys),
        event(name, "one", 1, {"det": 0.5, "motor": 1}),
        event(name, "one", 2, {"det": 0.6, "motor": 2}),
        descriptor(name, "two", "primary", keys, FIRST + 4, velocity=5),
        event(name, "two", 3, {"det": 0.7, "motor": 3}),
        stop(name),
    ]


def without_events(name="no_events"):
    """The primary stream is there, but nothing was measured."""
    keys = {"det": NUMBER, "motor": INTEGER}
    return [start(name), descriptor(name, "main", "primary", keys), stop(name)]


def without_primary(name="no_primary"):
    """The stream that everybody asks for is absent."""
    return [
        start(name),
        descriptor(name, "base", "baseline", {"det": NUMBER}),
        event(name, "base", 1, {"det": 1.0}),
        stop(name),
    ]


def without_stop(name="no_stop"):
    """A run that goes on, or whose end was lost."""
    return plain(name)[:-1]


def without_streams(name="no_streams"):
    """Nothing but a beginning and an end."""
    return [start(name), stop(name)]


def nameless(name="nameless"):
    """A descriptor as the first programs wrote it."""
    kind, old = descriptor(name, "main", "", {"det": NUMBER})
    for key in ("name", "configuration", "object_keys", "hints"):
        del old[key]
    return [start(name), (kind, old), event(name, "main", 1, {"det": 1.0}), stop(name)]


def images(name="images"):
    """Images among the data themselves."""
    return [
        start(name),
        descriptor(name, "main", "primary", {"img": IMAGE, "det": NUMBER}),
        *(
            event(name, "main", n, {"img": np.full((2, 3), float(n)), "det": float(n)})
            for n in range(1, 5)
        ),
        stop(name),
    ]


def external(name="external"):
    """Images in a file that is nowhere."""
    resource = {
        "uid": f"{name}-res",
        "run_start": f"{name}-run",
        "spec": "NOWHERE",
        "root": "/nowhere",
        "resource_path": "img.h5",
        "resource_kwargs": {},
        "path_semantics": "posix",
    }
    found = [
        start(name),
        ("resource", resource),
        descriptor(name, "main", "primary", {"img": EXTERNAL, "det": NUMBER}),
    ]
    for n in range(1, 3):
        datum_id = f"{name}-res/{n}"
        datum = {"datum_id": datum_id, "resource": f"{name}-res", "datum_kwargs": {"frame": n}}
        data = {"img": datum_id, "det": float(n)}
        found += [("datum", datum), event(name, "main", n, data, filled={"img": False})]
    return [*found, stop(name)]


ODD = {
    "everyday": plain,
    "two sets of keys": two_sets_of_keys,
    "reconfigured": reconfigured,
    "without events": without_events,
    "without primary": without_primary,
    "without stop": without_stop,
    "without streams": without_streams,
    "nameless": nameless,
    "images": images,
}
"""Runs on which every method gives an answer, or an error that can be caught."""


def save(db, documents):
    """Insert documents; return the header of their run."""
    for kind, document in documents:
        db.insert(kind, document)
    return db[documents[0][1]["uid"]]


def image_files(folder, name="files", time=FIRST, root=None, named=True, first=0):
    """A run of three images, each a file of its own; those of every run have the same names.

    Their values begin with `first`. With a root, that is what the resource says; an old resource
    does not name its run.
    """
    folder.mkdir(exist_ok=True, parents=True)
    resource = {
        "uid": f"{name}-res",
        "spec": "NPY_SEQ",
        "root": str(folder) if root is None else root,
        "resource_path": "img" if root is None else str(folder / "img"),
        "resource_kwargs": {},
        "path_semantics": "posix",
        **({"run_start": f"{name}-run"} if named else {}),
    }
    found = [
        start(name, time),
        ("resource", resource),
        descriptor(name, "main", "primary", {"img": EXTERNAL}),
    ]
    for n in range(3):
        np.save(folder / f"img_{n}.npy", np.full((2, 3), first + n))
        datum_id = f"{name}-res/{n}"
        datum = {"datum_id": datum_id, "resource": f"{name}-res", "datum_kwargs": {"index": n}}
        found += [("datum", datum), event(name, "main", n + 1, {"img": datum_id})]
    return [*found, stop(name)]
