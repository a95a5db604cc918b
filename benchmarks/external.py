"""External data: images beside raw h5py and tifffile, read in a loop and by dask.

Each measurement opens its file and closes it again: HDF5 shares what it knows
of a file among all in a process that have it open.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from databroker import Broker

from . import harness
from .data import BEGIN, open_broker
from .harness import MIB, Row
from .images import DATASET, FIELD, WAYS, Stack, point_to, sequence_path

LARGE = Stack(1000, 1024)
PIECE = Stack(1000, 1024, chunk=0)
SMALL = Stack(10_000, 64)
SPARSE = Stack(10_000, 1024)
PACKED = (Stack(128, 1024, 1, gzip=True), Stack(64, 1024, 8, gzip=True))
SEQUENCE = Stack(200, 1024)

_MOST = 1.3  # how much longer than the limit it may take


@contextmanager
def pointed(stack: Stack, filled: bool = True) -> Iterator[tuple[Broker, Path, dict[str, str]]]:
    """A broker, an HDF5 file, and for each way a run that points to it."""
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        path = stack.write(folder / "stack.h5", filled)
        yield db, path, {way: point_to(db, path, stack, way) for way in WAYS}


def loop(db: Broker, uid: str) -> None:
    """All images, one by one."""
    for image in db[uid].data(FIELD):
        assert image.ndim == 3
    db.reg.close()


def raw_loop(path: Path) -> None:
    """The same with h5py."""
    import h5py

    with h5py.File(path) as file:
        dataset = file[DATASET]
        for number in range(len(dataset)):
            image = dataset[number]
            assert image.ndim == 2


def mean(db: Broker, uid: str) -> None:
    """The mean of all images, computed by dask in threads."""
    dataset = db[uid].streams["primary"].to_dask()
    dataset[FIELD].data.mean().compute()
    db.reg.close()


def raw_mean(path: Path, chunks: tuple[tuple[int, ...], ...]) -> None:
    """The same with h5py and dask, and the same chunks."""
    import dask.array as da
    import h5py

    with h5py.File(path) as file:
        da.from_array(file[DATASET], chunks=chunks).mean().compute()


def stacks(stack: Stack = LARGE, repeat: int = 5) -> Iterator[Row]:
    """A loop over a stack, and its mean."""
    with pointed(stack) as (db, path, uids):
        for way, uid in uids.items():
            took, least = harness.side_by_side(
                lambda uid=uid: loop(db, uid), lambda: raw_loop(path), repeat
            )
            what = f"data(), {way}{stack.kind}"
            yield Row(what, str(stack), took, limit=least, target_ratio=_MOST)
            sizes = db[uid].streams["primary"][FIELD].chunks
            db.reg.close()
            took, least = harness.side_by_side(
                lambda uid=uid: mean(db, uid),
                lambda sizes=sizes: raw_mean(path, (sizes[0], *sizes[2:])),
                repeat,
            )
            what = f"dask mean, {way}{stack.kind}"
            yield Row(what, str(stack), took, limit=least, target_ratio=_MOST)


def each_event(stack: Stack = SMALL, repeat: int = 5) -> Iterator[Row]:
    """What an event costs beside what its image does."""
    with pointed(stack) as (db, path, uids):
        for way, uid in uids.items():
            took, least = harness.side_by_side(
                lambda uid=uid: loop(db, uid), lambda: raw_loop(path), repeat
            )
            each, raw = took / stack.frames * 1e3, least / stack.frames * 1e3
            yield Row(f"data(), a small image, {way}", str(stack), each, "µs", limit=raw)


def opening(stack: Stack = SPARSE, repeat: int = 5) -> Iterator[Row]:
    """Opening a large stack whose file is nearly empty, and a small part of it."""
    with pointed(stack, filled=False) as (db, path, uids):
        fill_one(path, stack)
        for way, uid in uids.items():
            size = f"{harness.number(stack.frames * stack.frame_bytes / 1e9)} GB"
            for what, work in (("stream[field]", open_array), ("to_dask()", open_dataset)):
                took = harness.median_ms(lambda work=work, uid=uid: work(db, uid), repeat)
                yield Row(f"open, {what}, {way}", size, took, target=500.0)
            yield from slicing(db, uid, stack, way)


def fill_one(path: Path, stack: Stack) -> None:
    """Write the image in the middle."""
    import h5py

    with h5py.File(path, "r+") as file:
        file[DATASET][stack.frames // 2] = stack.images()[0]


def open_array(db: Broker, uid: str) -> None:
    """What the array of a field is like."""
    array = db[uid].streams["primary"][FIELD]
    assert array.dtype == "u2"
    db.reg.close()


def open_dataset(db: Broker, uid: str) -> None:
    """The stream as a lazy dataset."""
    dataset = db[uid].streams["primary"].to_dask()
    assert dataset[FIELD].dtype == "u2"
    db.reg.close()


def slicing(db: Broker, uid: str, stack: Stack, way: str) -> Iterator[Row]:
    """How many bytes a part of one image needs, where the system tells."""
    array = db[uid].streams["primary"][FIELD]
    assert array.shape[0] == stack.frames
    before = bytes_read()
    part = array[stack.frames // 2, 0, 100:200, 100:200]
    after = bytes_read()
    assert not part.size or part.any()
    db.reg.close()
    if before is not None and after is not None:
        # HDF5 looks up where the chunk is, too.
        chunk = stack.frame_bytes * stack.chunk / 1024
        what = f"read for [n, 100:200, 100:200], {way}"
        yield Row(what, str(stack), (after - before) / 1024, "KiB", limit=chunk, target_ratio=1.05)


def bytes_read() -> int | None:
    """How many bytes this process has read from files; None where that is not known."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


def streaming(stack: Stack = SPARSE, repeat: int = 3) -> Iterator[Row]:
    """The memory that a loop over many images takes."""
    with pointed(stack, filled=False) as (_, path, uids):
        for way, uid in uids.items():
            found = harness.median_fresh(
                memory_of_loop, str(path.with_name("runs.db")), uid, repeat=repeat
            )
            yield Row(
                f"memory of data(), {way}",
                str(stack),
                found["memory"] * MIB / stack.frame_bytes,
                "images",
                target=16.0,
                memory=found["memory"],
                note=f"{found['ms'] / stack.frames * 1e3:.0f} µs an image, with nothing in it",
            )


def memory_of_loop(runs: str, uid: str) -> dict[str, float]:
    """In a fresh process that has imported everything: the memory that a loop takes."""
    with pointed(Stack(2, 16)) as (db, _, uids):
        for each in uids.values():
            loop(db, each)
    before = harness.peak_memory()
    begun = time.perf_counter()
    with open_broker(runs) as db:
        loop(db, uid)
    took = (time.perf_counter() - begun) * 1e3
    return {"ms": took, "memory": harness.peak_memory() - before}


def sequences(stack: Stack = SEQUENCE, repeat: int = 5) -> Iterator[Row]:
    """A loop over images in a file each."""
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        path = stack.write_sequence(folder / "tiff")
        for way in WAYS:
            uid = point_to(db, path, stack, way)
            took, least = harness.side_by_side(
                lambda uid=uid: loop(db, uid), lambda: raw_sequence(path, stack), repeat
            )
            yield Row(f"data(), TIFF files, {way}", str(stack), took, limit=least)


def raw_sequence(folder: Path, stack: Stack) -> None:
    """The same with tifffile."""
    import tifffile

    for number in range(stack.frames):
        image = tifffile.imread(sequence_path(folder, number))
        assert image.ndim == 2


def many_resources(count: int = 10_000, repeat: int = 9) -> Iterator[Row]:
    """What resources cost that nobody asks for, beside a run that has none."""
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        for uid, resources in (("many", count), ("none", 0)):
            db.store.insert_many(with_resources(uid, resources))
        took, least = harness.side_by_side(
            lambda: look(db, "many"), lambda: look(db, "none"), repeat
        )
        yield Row(
            "fields and streams of a run", f"{count} resources", took, limit=least, target=20.0
        )


def with_resources(uid: str, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The documents of a run that points to so many files."""
    key = {"dtype": "array", "shape": [4], "source": "sim", "external": "FILESTORE:"}
    yield "start", {"uid": uid, "time": BEGIN}
    yield (
        "descriptor",
        {"uid": f"{uid}-d", "run_start": uid, "time": BEGIN, "name": "primary"}
        | {"data_keys": {FIELD: key}},
    )
    resource = {"run_start": uid, "spec": "NPY_SEQ", "root": "/d", "resource_path": "a"}
    for number in range(count):
        yield "resource", {**resource, "uid": f"{uid}-{number}", "resource_kwargs": {}}


def look(db: Broker, uid: str) -> None:
    """The fields of a run, and how long its streams are."""
    header = db[uid]
    assert header.fields() == {FIELD}
    assert header.streams["primary"].num_events == 0


def rows(full: bool = False) -> Iterator[Row]:
    """Measure."""
    for stack in (LARGE, PIECE, *PACKED):
        yield from stacks(stack, 5 if stack.chunk < 2 else 3)
    yield from each_event()
    yield from opening()
    yield from streaming()
    yield from sequences()
    yield from many_resources()


if __name__ == "__main__":
    harness.script(rows, __doc__)
