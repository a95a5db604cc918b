"""Runs of ophyd-async's simulated detectors, read while they go on and afterwards."""

import asyncio

import h5py
import numpy as np
import pytest
import tifffile

import databroker
from helpers.ways import check

ophyd_async = pytest.importorskip("ophyd_async.core", reason="ophyd-async is not installed")
sim = pytest.importorskip("ophyd_async.sim")

import bluesky.plan_stubs as bps  # noqa: E402 - ophyd-async brings it
import bluesky.plans as bp  # noqa: E402
import bluesky.preprocessors as bpp  # noqa: E402
from bluesky import RunEngine  # noqa: E402

TIFF = "multipart/related;type=image/tiff"


class Scene(sim.PatternGenerator):
    """What simulated detectors look at: brighter in each frame, and with no time between them.

    After three frames it waits until somebody has looked at them.
    """

    def __init__(self, looked=True):
        super().__init__(sleep=self._wait)
        self.looked = looked
        self._shots = 0

    async def _wait(self, seconds):
        while self._shots == 3 and not self.looked:
            await asyncio.sleep(0.001)

    def generate_point(self, channel=1, high_energy=False):
        self._shots += 1
        return self._shots / 50 / self._exposure


class Tiffs(ophyd_async.DetectorDataLogic):
    """Documents of numbered files, as those of ophyd-async's area detectors."""

    def __init__(self, folder):
        self.info = ophyd_async.PathInfo(directory_path=folder, filename="img")
        self.written, self.set_written = ophyd_async.soft_signal_r_and_setter(int)

    async def prepare_unbounded(self, datakey_name):
        self.set_written(0)
        parameters = {"template": self.info.filename + "_{:06d}.tiff"}
        resource = ophyd_async.StreamResourceInfo(
            data_key=datakey_name,
            shape=(4, 6),
            chunk_shape=(1, 4, 6),
            dtype_numpy="<u2",
            parameters=parameters,
        )
        return ophyd_async.StreamResourceDataProvider(
            self.info.directory_uri, [resource], TIFF, self.written
        )


class OneShot(ophyd_async.DetectorAcquireLogic):
    """Writes a file each time."""

    def __init__(self, tiffs):
        self._tiffs = tiffs

    async def start_acquiring(self):
        number = await self._tiffs.written.get_value()
        image = np.full((4, 6), number + 1, np.uint16)
        tifffile.imwrite(self._tiffs.info.directory_path / f"img_{number:06d}.tiff", image)
        self._tiffs.set_written(number + 1)

    async def wait_for_idle(self):
        pass

    async def ensure_stopped(self):
        pass


@pytest.fixture
def db():
    with databroker.temp() as made:
        yield made


@pytest.fixture
def engine(db):
    made = RunEngine()
    made.subscribe(db.insert)
    return made


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "Bilder ä #1?"  # ophyd-async escapes nothing in its URIs
    made.mkdir()
    return made


@pytest.fixture
def detector(engine, folder):
    """A function that makes a detector."""
    paths = ophyd_async.StaticPathProvider(ophyd_async.UUIDFilenameProvider(), folder)

    def make(name, scene=None):
        with ophyd_async.init_devices():
            made = sim.SimBlobDetector(paths, scene or Scene(), name=name)
        return made

    return make


def fly(detectors, events, collections=1):
    """A plan that records into a stream without any event."""
    wanted = ophyd_async.TriggerInfo(number_of_events=events, collections_per_event=collections)

    @bpp.stage_decorator(detectors)
    @bpp.run_decorator()
    def inner():
        for each in detectors:
            yield from bps.prepare(each, wanted, wait=True)
        yield from bps.declare_stream(*detectors, name="primary", collect=True)
        yield from bps.kickoff_all(*detectors, wait=True)
        yield from bps.collect_while_completing(
            detectors, detectors, flush_period=0.01, stream_name="primary"
        )

    return inner()


def in_file(header, field, *shape):
    """Frames and their sums, as the library that wrote them has them; a shape for each event."""
    (path,) = (each.path for each in header.files() if field in each.fields)
    with h5py.File(path, "r") as file:
        frames, sums = file["/entry/data/data"][:], file["/entry/sum"][:]
    assert len(set(sums)) == len(sums)  # else a wrong order would look right
    return frames.reshape(-1, *(shape or [1]), 240, 320), sums.reshape(-1, *shape)


def test_a_scan(engine, db, detector):
    det = detector("det")
    with ophyd_async.init_devices():
        motor = sim.SimMotor(name="motor")
    engine(bp.scan([det], motor, 0, 1, 3))
    header = db[-1]
    frames, sums = in_file(header, "det")
    check(header, "det", frames)
    check(header, "det-sum", sums)
    table = header.table()
    assert table["motor"].tolist() == [0, 0.5, 1]
    assert [reference.rpartition("/")[2] for reference in table["det"]] == ["0", "1", "2"]
    dataset = header.xarray()
    assert dataset.det.sum(("dim_0", "dim_1", "dim_2")).values.tolist() == sums.tolist()
    assert dataset.time.notnull().all()
    assert [(each.exists, each.fields) for each in header.files()] == [(True, ("det", "det-sum"))]


def test_a_flight_of_two_detectors_without_events(engine, db, detector):
    engine(fly([detector("one"), detector("two")], 7))
    header = db[-1]
    assert list(header.events(fill=True)) == []
    assert header.stop["num_events"] == {"primary": 7}
    assert header.streams["primary"].num_events == 7
    table = header.table()
    assert table.index.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert table["time"].isna().all()
    for name in ("one", "two"):
        frames, sums = in_file(header, name)
        check(header, name, frames, events=False)
        check(header, f"{name}-sum", sums, events=False)


def test_an_event_may_hold_several_frames(engine, db, detector):
    engine(fly([detector("det")], 3, collections=4))
    header = db[-1]
    frames, sums = in_file(header, "det", 4)
    assert frames.shape == (3, 4, 240, 320)
    check(header, "det", frames, events=False)
    check(header, "det-sum", sums, events=False)


@pytest.mark.parametrize("plan", [lambda det: bp.count([det], 3), lambda det: fly([det], 9)])
def test_a_run_is_read_while_it_goes_on(engine, db, detector, plan):
    seen = []
    scene = Scene(looked=False)

    def look(name, doc):
        if name not in ("event", "stream_datum"):
            return
        scene.looked = True
        header = db[-1]
        assert header.stop == {}
        array = header.streams["primary"]["det"]
        sums = [int(value.sum()) for value in header.data("det")]
        assert array.available == len(array) == len(header.table()) == len(sums)
        assert array[...].sum(axis=(1, 2, 3)).tolist() == sums
        assert header.xarray_dask().det.sum(("dim_0", "dim_1", "dim_2")).values.tolist() == sums
        seen.append(sums)

    engine.subscribe(look)
    engine(plan(detector("det", scene)))
    _, sums = in_file(db[-1], "det")
    assert len(seen[0]) < len(seen[-1]) == len(sums)
    assert all(sums[: len(each)].tolist() == each for each in seen)


def test_a_run_that_was_broken_off(engine, db, detector):
    det = detector("det")

    def plan():
        yield from bps.trigger_and_read([det])
        yield from bps.trigger_and_read([det])
        raise RuntimeError("the beam is gone")

    with pytest.raises(RuntimeError, match="the beam is gone"):
        engine(bpp.stage_wrapper(bpp.run_wrapper(plan()), [det]))
    header = db[-1]
    assert header.stop["exit_status"] == "fail"
    frames, _ = in_file(header, "det")
    assert len(frames) == 2
    check(header, "det", frames)


def test_numbered_files(engine, db, folder):
    tiffs = Tiffs(folder)
    with ophyd_async.init_devices():
        camera = ophyd_async.StandardDetector(name="camera")
        camera.add_detector_logics(OneShot(tiffs), tiffs)
    engine(bp.count([camera], 3))
    header = db[-1]
    expected = np.ones((3, 1, 4, 6), np.uint16) * np.arange(1, 4, dtype="u2")[:, None, None, None]
    check(header, "camera", expected)
    names = [f"img_{number:06d}.tiff" for number in range(3)]
    assert [each.path for each in header.files()] == [str(folder / name) for name in names]


def test_files_that_moved(engine, db, detector, folder, tmp_path):
    engine(bp.count([detector("det")], 2))
    header = db[-1]
    frames, _ = in_file(header, "det")
    folder.rename(tmp_path / "moved")
    assert [each.exists for each in header.files()] == [False]
    db.reg.root_map[str(folder)] = str(tmp_path / "moved")
    check(header, "det", frames)


def test_a_run_is_exported_with_its_files(engine, db, detector, folder, tmp_path):
    engine(bp.count([detector("det")], 2))
    frames, _ = in_file(db[-1], "det")
    with databroker.temp() as other:
        db.export(db[-1], other, new_root=tmp_path / "copies")
        folder.rename(tmp_path / "gone")
        check(other[-1], "det", frames)
