"""The demonstration: real runs of every kind, made once."""

import importlib.util
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import yaml

from databroker import Broker, list_configs
from databroker.config import load
from databroker.demo import install
from databroker.demo.performing import perform
from databroker.demo.plans import RUNS
from databroker.errors import InvalidConfiguration, MissingExtra, StoreUnavailable


@pytest.fixture
def db(at_demo_home):
    broker = Broker.named("example")
    yield broker
    broker.store.close()


def run_of(db, key):
    (header,) = db(demo=key)
    return header


def test_the_configuration_is_the_only_one(at_demo_home):
    assert list_configs() == ["example"]
    config = load("example")
    assert config.driver == "sqlite"
    assert config.options == {"path": f"{at_demo_home}/.local/share/databroker/example.db"}


def test_the_newest_run_is_the_scan_of_the_walkthrough(db):
    header = db[-1]
    assert header.start["plan_name"] == "scan"
    table = header.table()
    assert list(table.columns) == ["time", "det", "motor", "motor_setpoint"]
    assert table.index.name == "seq_num"
    assert list(table.index) == [1, 2, 3, 4, 5]
    assert [f"{value:.6f}" for value in table["det"]] == [
        "0.606531",
        "0.135335",
        "0.011109",
        "0.000335",
        "0.000004",
    ]
    assert list(table["motor"]) == list(table["motor_setpoint"]) == [1, 2, 3, 4, 5]
    assert header.config_data("motor") == {
        "primary": [{"motor_velocity": 1, "motor_acceleration": 1}]
    }


def test_there_is_a_run_of_every_kind_in_a_fixed_order(db):
    found = [(header.start["demo"], header.start["scan_id"]) for header in db()]
    assert found[::-1] == [(run.key, number) for number, run in enumerate(RUNS, start=1)]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.key)
def test_each_run_ends_as_it_should(db, run):
    header = run_of(db, run.key)
    assert header.status == ("unknown" if run.ends == "open" else run.ends)
    assert bool(header.stop) == (run.ends != "open")
    assert len(header.table()) == run.points
    for key, value in run.metadata.items():
        assert header.start[key] == value


def test_the_failure_says_why(db):
    assert run_of(db, "failed").stop["reason"] == "the shutter closed during the scan"


def test_baseline_and_monitor_are_streams(db):
    header = run_of(db, "baseline")
    assert sorted(header.stream_names) == ["baseline", "primary", "ring_current_monitor"]
    baseline = header.table("baseline")
    assert set(baseline.columns) == {"time", "motor", "motor_setpoint", "temperature"}
    assert len(baseline) == 2
    current = header.table("ring_current_monitor")["ring_current"]
    assert len(current) == 13
    assert current.iloc[0] > current.iloc[-1]


def test_images_are_in_files(db, at_demo_home):
    header = run_of(db, "images")
    (resource,) = [doc for kind, doc in header.documents() if kind == "resource"]
    datums = [doc for kind, doc in header.documents() if "datum" in kind]
    assert resource["spec"] == "NPY_SEQ"
    assert datums
    folder = Path(resource["root"])
    assert folder == at_demo_home / ".local/share/databroker/example-images"
    files = sorted(folder.glob(f"{resource['resource_path']}_*.npy"))
    assert len(files) == 5
    images = [np.load(file) for file in files]
    assert {image.shape for image in images} == {(48, 64)}
    brightest = [int(image.argmax(axis=1).mean()) for image in images]
    assert images[0].max() > 3000
    assert brightest == sorted(brightest)


def test_the_metadata_answers_the_questions_of_the_walkthrough(db):
    def keys(**query):
        return {header.start["demo"] for header in db(**query)}

    assert keys(operator="Dan") == {"count", "baseline", "walkthrough"}
    assert keys(motor="eta") == {"baseline"}
    assert keys(plan_name="count") == {"count", "open"}
    assert keys(**{"sample.composition.Ni": 0.98}) == {"grid", "images"}
    assert {header.start["demo"] for header in db("good")} == {"count", "aborted", "walkthrough"}
    assert list(db("goo")) == []


def test_a_second_call_adds_nothing(at_demo_home, capfd):
    data_file = load("example").options["path"]
    before = {header.uid for header in Broker.named("example")()}
    reports = []
    done = install(lambda *args: reports.append(args))
    assert not done.created
    assert done.added == ()
    assert done.present == tuple(run.title for run in RUNS)
    assert done.data_file == Path(data_file)
    assert reports == []
    assert {header.uid for header in Broker.named("example")()} == before
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_ends_the_demonstration_between_two_runs(empty_home):
    before = signal.getsignal(signal.SIGINT)

    def press_in_the_third(title, done, of):
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        install(press_in_the_third)
    assert signal.getsignal(signal.SIGINT) is before
    with Broker.named("example") as db:
        assert [header.start["demo"] for header in db()] == ["baseline", "grid", "count"]
        assert {header.status for header in db()} == {"success"}


def test_a_demonstration_that_was_broken_off_is_finished(empty_home, capfd):
    class Enough(Exception):
        pass

    def stop_at_the_third(title, done, of):
        if done == 2:
            raise Enough

    with pytest.raises(Enough):
        install(stop_at_the_third)
    db = Broker.named("example")
    assert [header.start["demo"] for header in db()] == ["grid", "count"]
    # And one whose end never came.
    documents = []
    perform([RUNS[2]], empty_home, lambda *pair: documents.append(pair), lambda run: None)
    for kind, doc in documents[:-1]:
        db.insert(kind, doc)
    threads = threading.enumerate()
    reports = []
    done = install(lambda *args: reports.append(args))
    assert set(threading.enumerate()) <= set(threads)
    assert [done for _, done, _ in reports] == list(range(6))
    assert {of for _, _, of in reports} == {6}
    assert done.added == tuple(run.title for run in RUNS[2:])
    assert [header.start["demo"] for header in db()] == [
        *(run.key for run in RUNS[:1:-1]),
        "baseline",
        "grid",
        "count",
    ]
    assert db[-1].start["demo"] == "walkthrough"
    db.store.close()
    # What the RunEngine prints and logs about failed and aborted runs is kept to itself.
    assert capfd.readouterr() == ("", "")


def test_somebody_elses_configuration_is_left_alone(empty_home):
    file = empty_home / ".config/databroker/example.yml"
    file.parent.mkdir(parents=True)
    file.write_text("driver: sqlite\npath: mine.db\n")
    with pytest.raises(InvalidConfiguration, match="not made by 'databroker demo'"):
        install()
    assert file.read_text() == "driver: sqlite\npath: mine.db\n"
    assert sorted(path.name for path in empty_home.rglob("*") if path.is_file()) == ["example.yml"]


def test_a_path_that_yaml_could_misread_is_kept(empty_home, monkeypatch):
    odd = empty_home / "a: b #c 'd' ü"
    monkeypatch.setenv("XDG_DATA_HOME", str(odd))
    done = install()
    assert done.created
    assert len(done.added) == len(RUNS)
    assert yaml.safe_load(done.config_file.read_bytes())["path"] == f"{odd}/databroker/example.db"
    assert done.data_file == odd / "databroker/example.db"
    assert done.data_file.is_file()
    with Broker.named("example") as db:
        assert len(db[-1].table()) == 5


def test_without_bluesky_the_extra_is_named(empty_home, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ophyd" else real(name)
    )
    with pytest.raises(MissingExtra, match=r"'ophyd': pip install 'databroker\[demo\]'"):
        install()
    assert list_configs() == []


def test_a_folder_that_cannot_be_made_is_named(empty_home):
    (empty_home / ".config").write_text("this is a file")
    with pytest.raises(StoreUnavailable, match=r"\.config/databroker: cannot be made"):
        install()


def test_images_are_loaded_from_their_files(db):
    header = run_of(db, "images")
    frames = list(header.data("img"))
    assert len(frames) == len(header.table()) > 0
    assert all(frame.ndim == 2 for frame in frames)
    filled = header.table(fill=True)
    assert all((cell == frame).all() for cell, frame in zip(filled["img"], frames, strict=True))
    assert header.table()["img"].map(type).eq(str).all()
