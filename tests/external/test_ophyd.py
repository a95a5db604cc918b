"""Runs of ophyd's simulated detectors, whose images are in files that datums point to."""

import itertools

import numpy as np
import pytest

import databroker
from helpers.ways import check

sim = pytest.importorskip("ophyd.sim")
bluesky = pytest.importorskip("bluesky")

import bluesky.plans as bp  # noqa: E402


@pytest.fixture
def db():
    with databroker.temp() as made:
        yield made


@pytest.fixture
def engine(db):
    made = bluesky.RunEngine()
    made.subscribe(db.insert)
    return made


@pytest.fixture
def camera(files):
    """A detector whose image is another one each time."""
    shots = itertools.count()
    return sim.SynSignalWithRegistry(
        func=lambda: np.full((3, 4), next(shots), float), name="img", save_path=str(files)
    )


def images(rows):
    return np.arange(float(rows))[:, None, None] * np.ones((3, 4))


def test_a_scan(engine, db, camera, files):
    hardware = sim.hw(save_path=str(files))
    engine(bp.scan([camera, hardware.det], hardware.motor, -1, 1, 3))
    header = db[-1]
    first = next(header.data("img"))[0, 0]  # ophyd looks at the detector before the first event
    check(header, "img", images(3) + first)
    assert header.table()["motor"].tolist() == [-1, 0, 1]
    assert header.table(fill=True)["det"].tolist() == header.table()["det"].tolist()
    assert all(each.exists and each.fields == ("img",) for each in header.files())


def test_images_in_files_and_in_events(engine, db, camera, files):
    camera.name = "camera"
    engine(bp.count([camera, sim.hw(save_path=str(files)).direct_img], 2))
    header = db[-1]
    (first, second) = header.data("camera")
    assert second[0, 0] == first[0, 0] + 1
    check(header, "camera", [first, second])
    check(header, "img", np.ones((2, 10, 10)))
    assert [isinstance(cell, str) for cell in header.table()[["camera", "img"]].iloc[0]] == [
        *(True, False)
    ]


def test_a_run_is_read_while_it_goes_on(engine, db, camera):
    seen = []

    def look(name, doc):
        header = db[-1]
        seen.append([int(image[0, 0]) for image in header.data("img")])
        assert len(header.table(fill=True)) == len(header.streams["primary"]["img"])

    engine.subscribe(look, "event")
    engine(bp.count([camera], 3))
    first = seen[0][0]
    assert seen == [[first], [first, first + 1], [first, first + 1, first + 2]]


def test_each_run_has_its_own_files(engine, db, camera):
    engine(bp.count([camera], 2))
    engine(bp.count([camera], 2))
    old, new = ([image[0, 0] for image in db[number].data("img")] for number in (-2, -1))
    assert old[0] < old[1] < new[0] < new[1]
    assert not {each.path for each in db[-1].files()} & {each.path for each in db[-2].files()}
