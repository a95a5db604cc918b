"""Which frame is that of which event, where seq_nums come again, are missing, or are too many."""

import h5py
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import databroker
from databroker import Broker
from databroker.errors import ExternalDataMissing
from databroker.external.locate import uri_of_path
from databroker.stores.memory import MemoryStore
from helpers.external import Run

HDF5 = "application/x-hdf5"
CAM = {"dtype": "number", "shape": [], "dtype_numpy": "<i8", "source": "s", "external": "STREAM:"}
DET = {"dtype": "number", "shape": [], "source": "s"}
FRAMES = 12


@pytest.fixture(scope="module")
def two_files(tmp_path_factory):
    """Two files of numbers; each number says which file it is in, and where."""
    folder = tmp_path_factory.mktemp("claims")
    for number in range(2):
        with h5py.File(folder / f"{number}.h5", "w") as file:
            file["data"] = np.arange(FRAMES) + 100 * number
    return folder


def insert_run(db, folder, holders, claims, events, stop=True):
    """Insert a run.

    Parameters
    ----------
    holders
        Of each descriptor, whether it has the field.
    claims
        (file, descriptor or None, first seq_num, first frame, frames) of each stream datum.
    events
        (descriptor, seq_num, time) of each event.
    """
    run = Run(db.store)
    for number, holds in enumerate(holders):
        keys = {"det": DET, **({"cam": CAM} if holds else {})}
        document = {"uid": f"d{number}", "run_start": run.uid, "time": 1.0 + number}
        db.insert("descriptor", {**document, "name": "primary", "data_keys": keys})
    for number in range(2):
        run.stream(HDF5, uri_of_path(str(folder / f"{number}.h5")), f"r{number}", dataset="data")
    for number, (part, owner, first, frame, frames) in enumerate(claims):
        document = {"uid": f"r{part}/{number}", "stream_resource": f"r{part}"}
        document["descriptor"] = "" if owner is None else f"d{owner}"
        document["indices"] = {"start": frame, "stop": frame + frames}
        document["seq_nums"] = {"start": first, "stop": first + frames}
        db.insert("stream_datum", document)
    for number, (owner, seq_num, time) in enumerate(events):
        document = {"uid": f"e{number:02}", "descriptor": f"d{owner}", "seq_num": seq_num}
        document |= {"time": float(time), "data": {"det": number}, "timestamps": {"det": 0.0}}
        db.insert("event", document)
    if stop:
        db.insert("stop", {"uid": "stop", "run_start": run.uid, "time": 99.0})


def expected(holders, claims, events):
    """Return (seq_num, value) of each row, in order, by the plainest means."""
    told = sorted(claims, key=lambda claim: claim[0])  # by file; else as they arrived
    each = [
        [owner, first + n, 100 * part + frame + n]
        for part, owner, first, frame, frames in told
        for n in range(frames)
    ]
    holder = holders.index(True) if True in holders else None
    if holder is None and not events:
        return []
    if not events:
        owned = [[holder if owner is None else owner, *rest] for owner, *rest in each]
        rows = [[seq, value] for owner, seq, value in owned if holders[owner]]
        return sorted(rows, key=lambda row: row[0])
    numbered = enumerate(events)
    rows = sorted((seq, time, f"e{number:02}", owner) for number, (owner, seq, time) in numbered)
    found = [None] * len(rows)
    for anybody in (False, True):
        for place, (seq, _, _, owner) in enumerate(rows):
            if found[place] is None and holders[owner]:
                wanted = [None if anybody else owner, seq]
                match = next((claim for claim in each if claim[:2] == wanted), None)
                if match is not None:
                    each.remove(match)
                    found[place] = match[2]
    return [[seq, value] for (seq, *_), value in zip(rows, found, strict=True)]


small = st.integers(1, 4)
a_claim = st.tuples(
    st.integers(0, 1), st.sampled_from([0, 0, 1, 2, None]), small, st.integers(0, 6), small
)
an_event = st.tuples(st.integers(0, 2), st.integers(1, 6), st.integers(2, 4))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(a_claim, max_size=5),
    st.lists(an_event, max_size=9),
)
@pytest.mark.filterwarnings("ignore:.*(cannot be had|belong to no event):UserWarning")
def test_the_nth_event_of_a_seq_num_has_its_nth_value(two_files, holders, claims, events):
    with Broker(MemoryStore()) as db:
        insert_run(db, two_files, holders, claims, events)
        rows = expected(holders, claims, events)
        values = [np.nan if value is None else value for _, value in rows]
        stream = db[-1].streams["primary"]
        if not any(holders):
            assert "cam" not in stream.fields
            return
        table = stream.table(fill=True, on_missing="mask")
        assert table.index.tolist() == [seq for seq, _ in rows]
        filled = stream.events(fill=True, on_missing="mask")
        for found in (
            [np.nan if value is None else int(value) for value in table["cam"]],
            stream.array("cam", "mask")[:],
            stream.read(on_missing="mask")["cam"].values,
            stream.to_dask(on_missing="mask")["cam"].values,
            [event["data"].get("cam") for event in filled] if events else values,
        ):
            found = np.array([np.nan if value is None else value for value in found], float)
            if not events:  # nothing puts rows of one seq_num of several descriptors in order
                found = [value for _, value in sorted(zip(table.index, found, strict=True))]
                values = [value for _, value in sorted(rows)]
            np.testing.assert_array_equal(found, values)


# -- as runs are recorded ----------------------------------------------------


@pytest.fixture
def db(tmp_path):
    with databroker.temp() as made:
        yield made


def test_two_stream_datums_that_claim_the_same_events_give_all_their_frames(db, two_files):
    insert_run(db, two_files, [True], [(0, 0, 1, 0, 3), (1, 0, 1, 0, 5)], [])
    header = db[-1]
    assert header.table().index.tolist() == [1, 1, 2, 2, 3, 3, 4, 5]
    everything = [0, 100, 1, 101, 2, 102, 103, 104]
    assert [int(value) for value in header.table(fill=True)["cam"]] == everything
    assert [int(value) for value in header.data("cam")] == everything
    assert header.xarray().cam.values.tolist() == everything
    assert header.xarray_dask().cam.values.tolist() == everything
    assert header.streams["primary"]["cam"].available == 8


def test_values_without_an_event_are_told_when_the_run_has_ended(db, two_files, recwarn):
    claims, events = [(0, 0, 1, 0, 3), (1, 0, 1, 0, 5)], [(0, n, n) for n in range(1, 6)]
    insert_run(db, two_files, [True], claims, events, stop=False)
    assert db[-1].xarray().cam.values.tolist() == [0, 1, 2, 103, 104]
    assert not recwarn
    db.insert("stop", {"uid": "stop", "run_start": "run-1", "time": 99.0})
    for read in (
        lambda header: header.table(fill=True),
        lambda header: header.xarray(),
        lambda header: header.xarray_dask(),
        lambda header: list(header.data("cam")),
        lambda header: list(header.events(fill=True)),
        lambda header: header.streams["primary"]["cam"],
    ):
        with pytest.warns(UserWarning, match="3 values of the field 'cam'.*belong to no event"):
            read(db[-1])
    recwarn.clear()
    assert db[-1].table().shape == (5, 3)
    assert db[-1].table(fields=["det"], fill=True).shape == (5, 2)
    assert not recwarn


def test_an_event_that_came_again_without_a_frame_is_told(db, two_files):
    insert_run(db, two_files, [True], [(0, 0, 1, 0, 2)], [(0, 1, 2), (0, 2, 3), (0, 2, 4)])
    assert [int(value) for value in db[-1].streams["primary"]["cam"][:2]] == [0, 1]
    with pytest.raises(ExternalDataMissing, match="event 2 is"):
        db[-1].xarray()
    with pytest.raises(ExternalDataMissing, match="no stream datum says"):
        db[-1].table(fill=True)


def test_a_rewound_run_that_goes_on(db, two_files):
    events = [(0, 1, 1), (0, 2, 2), (0, 2, 3), (0, 3, 4)]
    insert_run(db, two_files, [True], [(0, 0, 1, 0, 2), (0, 0, 2, 2, 2)], events, stop=False)
    stream = db[-1].streams["primary"]
    lazy = stream.to_dask()
    assert list(stream.data("cam", fill=False)) == ["r0/0", "r0/1", "r0/2", "r0/3"]
    document = {"uid": "again", "descriptor": "d0", "seq_num": 2, "time": 2.5}
    db.insert("event", {**document, "data": {"det": 9}, "timestamps": {"det": 0.0}})
    assert lazy.cam.values.tolist() == [0, 1, 2, 3]  # what was promised
    assert list(stream.data("cam", fill=False)) == ["r0/0", "r0/1", "r0/2", None, "r0/3"]


def test_a_lazy_dataset_of_a_rewound_run_goes_to_other_processes(db, two_files):
    events = [(0, 1, 1), (0, 2, 2), (0, 2, 3), (0, 3, 4)]
    insert_run(db, two_files, [True], [(0, 0, 1, 0, 2), (0, 0, 2, 2, 2)], events)
    lazy = db[-1].xarray_dask()
    assert lazy.cam.data.compute(scheduler="processes").tolist() == [0, 1, 2, 3]


# -- by a RunEngine ----------------------------------------------------------


class Camera:
    """A detector that appends a frame to a file each time, and tells of it by a stream datum."""

    name, parent = "cam", None

    def __init__(self, path):
        self._path = path
        self._frames = 0
        with h5py.File(path, "w") as file:
            file.create_dataset("data", (0,), "i8", maxshape=(None,))

    def describe(self):
        return {"cam": CAM}

    def read(self):
        return {}

    def describe_configuration(self):
        return {}

    read_configuration = describe_configuration

    def trigger(self):
        from ophyd.status import DeviceStatus

        with h5py.File(self._path, "a") as file:
            file["data"].resize(self._frames + 1, axis=0)
            file["data"][self._frames] = self._frames
        self._frames += 1
        done = DeviceStatus(self)
        done.set_finished()
        return done

    def get_index(self):
        return self._frames

    def collect_asset_docs(self, index=None):
        last = self._frames - 1
        if last == 0:
            document = {"uid": "res", "data_key": "cam", "mimetype": HDF5}
            document |= {"uri": uri_of_path(str(self._path)), "parameters": {"dataset": "data"}}
            yield "stream_resource", document
        span = {"start": last, "stop": last + 1}
        document = {"uid": f"res/{last}", "stream_resource": "res", "descriptor": ""}
        yield "stream_datum", {**document, "indices": span, "seq_nums": {"start": 0, "stop": 0}}


def test_a_scan_that_was_paused_and_rewound(db, tmp_path):
    from bluesky import RunEngine, RunEngineInterrupted
    from bluesky import plan_stubs as bps

    camera = Camera(tmp_path / "cam.h5")

    def plan():
        yield from bps.open_run()
        for number in range(4):
            yield from bps.checkpoint()
            yield from bps.trigger_and_read([camera])
            if number == 2:
                yield from bps.pause()  # then this point is taken again
        yield from bps.close_run()

    engine = RunEngine()
    engine.subscribe(db.insert)
    with pytest.raises(RunEngineInterrupted):
        engine(plan())
    engine.resume()
    header = db[-1]
    assert header.table().index.tolist() == [1, 2, 3, 3, 4]
    assert [int(value) for value in header.table(fill=True)["cam"]] == [0, 1, 2, 3, 4]
    assert header.xarray().cam.values.tolist() == [0, 1, 2, 3, 4]
    assert header.streams["primary"]["cam"][2:4].tolist() == [2, 3]
