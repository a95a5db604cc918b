"""What a notebook and a terminal show for handles, and what it costs."""

import re

import pytest

import databroker
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore

NUMBER = {"dtype": "number", "shape": [], "source": "sim", "units": "mm"}


class Counting:
    """Counts how often rows are read."""

    reads = 0

    def read(self, *args):
        self.reads += 1
        return super().read(*args)


class CountingMemory(Counting, MemoryStore):
    pass


class CountingSQLite(Counting, SQLiteStore):
    pass


def fill(db, stop=True):
    db.insert("start", {"uid": "run-1", "time": 1.0, "plan_name": "scan", "note": "<b>"})
    configuration = {"motor": {"data": {"velocity": 5}, "timestamps": {}, "data_keys": {}}}
    for stream in ("baseline", "primary"):
        descriptor = {
            "uid": f"run-1-{stream}",
            "run_start": "run-1",
            "time": 1.0,
            "name": stream,
            "data_keys": {"motor": NUMBER, "<i>": NUMBER},
            "object_keys": {"motor": ["motor"]},
            "configuration": configuration,
        }
        db.insert("descriptor", descriptor)
        for n in (1, 2):
            event = {
                "uid": f"{stream}-{n}",
                "descriptor": descriptor["uid"],
                "time": 1.0 + n,
                "seq_num": n,
                "data": {"motor": n, "<i>": n},
                "timestamps": {"motor": 1.0, "<i>": 1.0},
            }
            db.insert("event", event)
    if stop:
        db.insert("stop", {"uid": "s", "run_start": "run-1", "time": 9.0, "exit_status": "fail"})


@pytest.fixture(params=["memory", "sqlite"])
def db(request, tmp_path):
    file = tmp_path / "runs.db"
    store = CountingMemory() if request.param == "memory" else CountingSQLite(file)
    db = databroker.Broker(store, name="lab")
    fill(db)
    yield db
    db.close()


HANDLES = {
    "broker": lambda db: db,
    "header": lambda db: db[-1],
    "results": lambda db: db(),
    "stream": lambda db: db[-1].streams["primary"],
    "streams": lambda db: db[-1].streams,
    "stream of v2": lambda db: db.v2[-1].primary,
    "catalog": lambda db: db.v2,
    "run": lambda db: db.v2[-1],
    "start document": lambda db: db[-1].start,
}


@pytest.mark.parametrize("handle", HANDLES)
def test_showing_a_handle_reads_no_events(db, handle):
    shown = HANDLES[handle](db)
    html = shown._repr_html_()
    assert "run-1" in html or handle == "streams"
    assert "motor" in html or "scan" in html
    assert "<i>" not in html
    assert "<b>" not in html
    str(shown), repr(shown)
    assert db.store.reads == 0


def test_showing_a_handle_asks_nobody_else(db):
    db.external_fetchers["logbook"] = lambda start, stop: 1 / 0
    db.add_filter(plan_name="nothing has this")
    assert "run-1" in db._repr_html_()
    assert "run-1" in db.v2._repr_html_()


def test_a_stream_shows_its_fields_and_its_configuration(db):
    html = db[-1].streams["primary"]._repr_html_()
    for said in ("Stream primary", "2 events of run run-1", "motor", "mm", "sim", "velocity"):
        assert said in html


def test_a_field_is_shown_before_it_is_read(db):
    html = db[-1].streams["primary"]["motor"]._repr_html_()
    for said in ("Field motor", ">2<", "int64", "16 B"):
        assert said in html


def test_a_catalog_is_told_from_a_search_in_it(db):
    assert "Catalog lab" in db.v2._repr_html_()
    assert "Search results" in db.v2.search({"plan_name": "scan"})._repr_html_()


def test_the_catalogs_of_this_machine_are_shown(at_demo_home):
    html = databroker.catalog._repr_html_()
    for said in ("Catalogs", "example", "Demonstration runs"):
        assert said in html


def test_an_external_field_and_a_stream_of_it_are_shown(at_demo_home):
    with databroker.Broker.named("example") as db:
        stream = db[4].streams["primary"]
        html = stream["img"]._repr_html_()
        for said in ("Field img", "48 x 64", "uint16", "30.7 kB"):
            assert said in html
        assert db.v2[4].primary._repr_html_() == stream._repr_html_()
        assert "array (external)" in stream._repr_html_()


def test_pictures_stand_side_by_side_on_a_page_of_800_pixels(at_demo_home):
    with databroker.Broker.named("example") as db:
        html = db[3].preview()._repr_html_()
    widths = [int(each) for each in re.findall(r"width:(\d+)px", html)]
    assert len(widths) == 3
    assert widths[0] + widths[1] + 2 * 12 <= 784  # as wide as a page without its margins


def test_a_stream_shows_times_in_the_zone_of_its_broker(tmp_path):
    config = {"driver": "memory", "timezone": "Asia/Tokyo"}
    with databroker.Broker.from_config(config) as db:
        db.insert("start", {"uid": "u", "time": 0.0})
        settings = {"clock": {"data": {"time": 0.0}, "timestamps": {}, "data_keys": {}}}
        descriptor = {"uid": "d", "run_start": "u", "time": 0.0, "name": "primary"}
        db.insert("descriptor", descriptor | {"data_keys": {}, "configuration": settings})
        assert "1970-01-01 09:00:00 JST" in db[-1].streams["primary"]._repr_html_()


def test_a_run_in_progress_is_shown_as_it_is(db):
    fill(other := databroker.Broker(MemoryStore()), stop=False)
    header = other[-1]
    assert "unknown" in header._repr_html_()
    other.insert("stop", {"uid": "s", "run_start": "run-1", "time": 9.0, "exit_status": "abort"})
    assert "abort" in header._repr_html_()


def test_names_are_completed(db):
    header = db[-1]
    assert header._ipython_key_completions_() == ["start", "descriptors", "stop", "ext"]
    stream = header.streams["primary"]
    assert stream._ipython_key_completions_() == ["motor", "<i>"]
    assert stream.config._ipython_key_completions_() == ["motor"]
    assert db.v2._ipython_key_completions_() == ["run-1"]
    assert {"primary", "baseline"} <= set(dir(db.v2[-1]))
    assert db.store.reads == 0
