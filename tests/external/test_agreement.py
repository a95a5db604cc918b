"""Whichever way a field is read, what was written comes back: small runs, made at random."""

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from databroker import Broker
from databroker.errors import ExternalDataMissing
from databroker.external import Registry
from databroker.external.locate import uri_of_path
from databroker.stores.http import HTTPStore
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from helpers.external import NUMBER, Run
from helpers.http_thread import serving
from helpers.ways import WAYS

zarr = pytest.importorskip("zarr")


# -- files: a stack of frames in each format -------------------------------------


def write_hdf5(path, stack):
    with h5py.File(f"{path}.h5", "w") as file:
        file.create_dataset("/entry/data/data", data=stack, chunks=(1, *stack.shape[1:]))
    return f"{path}.h5", {"dataset": "/entry/data/data"}


def write_tiffs(path, stack):
    path.mkdir()
    for number, frame in enumerate(stack):
        tifffile.imwrite(path / f"img_{number:03d}.tif", frame)
    return f"{path}/", {"template": "%s%s_%3.3d.tif", "filename": "img"}


def write_arrays(path, stack):
    path.mkdir()
    for number, frame in enumerate(stack):
        np.save(path / f"img_{number}.npy", frame)
    return f"{path}/", {"filename": "img"}


def write_zarr(path, stack):
    array = zarr.create_array(str(path), shape=stack.shape, chunks=stack.shape, dtype=stack.dtype)
    array[:] = stack
    return str(path), {}


def write_text(path, stack):
    np.savetxt(f"{path}.csv", stack, delimiter=",")
    return f"{path}.csv", {}


STREAMED = {
    "application/x-hdf5": write_hdf5,
    "multipart/related;type=image/tiff": write_tiffs,
    "multipart/related;type=application/x-npy": write_arrays,
    "application/x-zarr": write_zarr,
    "text/csv;header=absent": write_text,
}
DATUMS = {"NPY_SEQ": write_arrays, "AD_HDF5": write_hdf5}
SHAPES = {  # of a frame
    "application/x-hdf5": [(), (3,), (2, 3)],
    "application/x-zarr": [(), (3,), (2, 3)],
    "text/csv;header=absent": [(3,)],
}
WHOLE = {"NPY_SEQ", "multipart/related;type=application/x-npy"}  # a file has a value
OWN_AXIS = {"AD_HDF5"}  # a value has an axis for its frames, even if it has one only


# -- fields ----------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """A field of a run: for each row, its resource and its place in it, or None.

    Attributes
    ----------
    kind
        The spec or mimetype.
    shape, dtype
        Of a value.
    each
        How many frames a value has; 0 where it has no axis for them.
    holders
        The descriptors that have the field.
    parts
        The resource of each row; None for a row without a value.
    lost
        The resources whose files are gone.
    cuts
        The rows at which a stream datum begins, though the one before could go on.
    """

    name: str
    kind: str
    shape: tuple
    dtype: str
    each: int
    holders: frozenset
    parts: tuple
    lost: frozenset
    cuts: frozenset

    @property
    def is_streamed(self):
        return self.kind in STREAMED

    @property
    def key(self):
        dtype = "array" if self.shape else "number"
        external = "STREAM:" if self.is_streamed else "FILESTORE:"
        key = {"source": "sim", "dtype": dtype, "shape": list(self.shape), "external": external}
        return {**key, "dtype_numpy": self.dtype}

    def value(self, row):
        """What is written for a row: no two elements of two rows are the same."""
        size = int(np.prod(self.shape))
        return (np.arange(size) + 1 + row * size).astype(self.dtype).reshape(self.shape)

    def rows_of(self, part):
        return [row for row, other in enumerate(self.parts) if other == part]

    def write(self, run, folder, descriptors):
        """Write the files and insert the documents; return what the events have."""
        cells = [None] * len(self.parts)
        for part in sorted({part for part in self.parts if part is not None}):
            rows = self.rows_of(part)
            # The first frames of each resource are of nobody.
            frames = np.stack([np.zeros(self.shape, self.dtype), *map(self.value, rows)])
            if self.each and self.kind not in WHOLE:
                frames = frames.reshape(-1, *self.shape[1:])
            uid = f"{self.name}{part}"
            writer = (STREAMED if self.is_streamed else DATUMS)[self.kind]
            path, parameters = writer(folder / uid, frames)
            if self.is_streamed:
                run.stream(self.kind, uri_of_path(path), uid, self.name, **parameters)
                self.stream_datums(run, uid, rows, descriptors)
            else:
                for row, datum_id in zip(rows, self.datums(run, uid, path, len(rows)), strict=True):
                    cells[row] = datum_id
            if part in self.lost:
                Path(path).rename(folder / f"{uid} is gone")
        return cells

    def datums(self, run, uid, path, count):
        if self.kind == "NPY_SEQ":
            run.resource(self.kind, path, "img", uid)
            return run.datums([{"index": number + 1} for number in range(count)], uid)
        run.resource(self.kind, Path(path).parent, Path(path).name, uid, frame_per_point=self.each)
        return run.datums([{"point_number": number + 1} for number in range(count)], uid)

    def stream_datums(self, run, uid, rows, descriptors):
        """Insert one for each stretch of rows that follow each other, and more at the cuts."""
        begin = 0
        for place, row in enumerate(rows):
            after = rows[place + 1] if place + 1 < len(rows) else None
            goes_on = after == row + 1 and descriptors[after] == descriptors[row]
            if goes_on and after not in self.cuts:
                continue
            owner = descriptors[row]
            run.stream_datum(begin + 1, place + 2, uid, rows[begin] + 1, owner)
            begin = place + 1

    def state(self, row, descriptors):
        """What a reader finds: a value; 'absent' or 'none', where there is none; or 'lost'."""
        if descriptors[row] not in self.holders:
            return "absent"
        part = self.parts[row]
        if part is None:
            return "lost" if self.is_streamed else "none"
        return "lost" if part in self.lost else "value"


# -- runs ------------------------------------------------------------------------


@st.composite
def fields(draw, name, kinds, descriptors):
    kind = draw(st.sampled_from(kinds))
    dtype = "<f8" if kind.startswith("text") else draw(st.sampled_from(["<u2", "<i4", "<f4"]))
    frame = draw(st.sampled_from(SHAPES.get(kind, [(2, 3)])))
    each = 0 if kind in WHOLE else draw(st.integers(int(kind in OWN_AXIS), 2))
    some = st.frozensets(st.sampled_from(["d0", "d1"]), min_size=1)
    holders = draw(st.just(frozenset(["d0", "d1"])) | some)
    part = st.integers(0, 2) if draw(st.booleans()) else st.integers(0, 2) | st.none()
    parts = [draw(part) if owner in holders else None for owner in descriptors]
    lost = draw(st.just(frozenset()) | st.frozensets(st.integers(0, 2)))
    cuts = draw(st.frozensets(st.integers(0, len(parts))))
    shape = (each, *frame) if each else frame
    return Field(name, kind, shape, dtype, each, holders, tuple(parts), lost, cuts)


@dataclass(frozen=True)
class Made:
    """A run: the descriptor of each row, its fields, and whether there are events."""

    descriptors: tuple
    fields: tuple
    has_events: bool

    def write(self, store, folder):
        run = Run(store)
        for uid in ("d0", "d1"):
            keys = {each.name: each.key for each in self.fields if uid in each.holders}
            number = {"det": NUMBER} if self.has_events else {}
            key = {"uid": uid, "run_start": run.uid, "time": 1.0, "name": "primary"}
            store.insert("descriptor", {**key, "data_keys": {**number, **keys}})
        cells = {each.name: each.write(run, folder, self.descriptors) for each in self.fields}
        for row, uid in enumerate(self.descriptors if self.has_events else ()):
            data = {
                each.name: cells[each.name][row]
                for each in self.fields
                if not each.is_streamed and uid in each.holders
            }
            data["det"] = float(row)
            event = {"uid": f"e{row}", "descriptor": uid, "seq_num": row + 1, "time": 2.0 + row}
            stamps = dict.fromkeys(data, 2.0 + row)
            store.insert("event", {**event, "data": data, "timestamps": stamps})

    @property
    def rows(self):
        """Those that a table has: without events, those that have a value of some field."""
        rows = range(len(self.descriptors))
        if self.has_events:
            return list(rows)
        return [row for row in rows if any(each.parts[row] is not None for each in self.fields)]


@st.composite
def runs(draw):
    descriptors = draw(st.lists(st.sampled_from(["d0", "d1"]), min_size=1, max_size=8))
    if draw(st.booleans()):
        descriptors.sort()
    has_events = draw(st.booleans())
    kinds = [*STREAMED, *DATUMS] if has_events else [*STREAMED]
    count = draw(st.integers(1, 2))
    made = [draw(fields(f"f{number}", kinds, descriptors)) for number in range(count)]
    return Made(tuple(descriptors), tuple(made), has_events)


# -- what is expected ------------------------------------------------------------


def as_array(values, field):
    """Values as an array, where NaN stands for those that are missing."""
    if all(value is not None for value in values):
        return np.stack(values)
    nothing = np.full(field.shape, np.nan)
    return np.stack([nothing if value is None else value for value in values])


def same(found, expected):
    np.testing.assert_array_equal(np.asarray(found), expected)


def same_cells(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        same(one, other)


def check_field(header, field, made):
    states = [field.state(row, made.descriptors) for row in made.rows]
    values = [
        field.value(row) if state == "value" else None
        for row, state in zip(made.rows, states, strict=True)
    ]
    if not values:
        return
    table, data, *arrays = WAYS
    same_cells(table(header, field.name, "primary", on_missing="mask"), values)
    yielded = [value for value, state in zip(values, states, strict=True) if state != "absent"]
    same_cells(data(header, field.name, "primary", on_missing="mask"), yielded)
    for way in arrays:
        same(way(header, field.name, "primary", on_missing="mask"), as_array(values, field))
    array = header.streams["primary"].array(field.name, on_missing="mask")
    same(array[::-2], as_array(values, field)[::-2])
    same(array.to_dask()[1:3], as_array(values, field)[1:3])
    for way in WAYS:
        if "lost" in states:
            with pytest.raises(ExternalDataMissing):
                way(header, field.name, "primary")
        elif way in (table, data):
            same_cells(way(header, field.name, "primary"), values if way is table else yielded)
        else:
            found = way(header, field.name, "primary")
            same(found, as_array(values, field))
            complete = set(states) == {"value"}
            assert not complete or np.asarray(found).dtype == field.dtype


@settings(max_examples=15, deadline=None)
@given(runs())
def test_whatever_was_written_comes_back_in_all_ways(made):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Some external data cannot be had")
        for name, store in (
            ("memory", MemoryStore()),
            ("sqlite", SQLiteStore(Path(folder, "runs.db"))),
        ):
            files = Path(folder, name)
            files.mkdir()
            made.write(store, files)
            with Broker(store) as db:
                for each in made.fields:
                    check_field(db[-1], each, made)


@settings(max_examples=3, deadline=None)
@given(runs())
def test_whatever_was_written_comes_back_through_a_server(made):
    store, here = MemoryStore(), Registry(allowed_roots=["/nowhere"])
    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
        serving(store) as uri,
        Broker(HTTPStore(uri), registry=here) as db,
    ):
        warnings.filterwarnings("ignore", "Some external data cannot be had")
        made.write(store, Path(folder))
        for each in made.fields:
            check_field(db[-1], each, made)
