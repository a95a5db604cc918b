"""What other people's programs call, as they call it.

Each test says in its name what a program does; `tests/clients/run.py` runs the programs.
"""

import datetime

import pytest

import databroker
from databroker.queries import TimeRange
from helpers import runs
from helpers.runs import FIRST, save


@pytest.fixture
def catalog(db):
    for n, plan in enumerate(("count", "scan", "scan")):
        save(db, runs.plain(f"r{n}", FIRST + n, plan_name=plan))
    return db.v2


# -- apstools ------------------------------------------------------------------


def replayed(given):
    """What apstools' `replay` does with a header, or with a run of a catalog."""
    run = given if hasattr(given, "start") else given.cat.v1[given.metadata["start"]["uid"]]
    assert isinstance(run, databroker.Header)
    return list(run.documents())


def test_replay_takes_headers_and_runs(db, header):
    assert replayed(db.v2[header.uid]) == replayed(header) == list(header.documents())


def test_listruns_looks_for_a_catalog_that_is_newest_first(catalog):
    from databroker._drivers.mongo_normalized import BlueskyMongoCatalog

    query = {**TimeRange(since="1995-01-01", until="2100-12-31"), "plan_name": "scan"}
    found = catalog.search(query)
    assert isinstance(found, (databroker.Broker, BlueskyMongoCatalog))
    assert list(found) == ["r2-run", "r1-run"]
    run = found["r1-run"]
    assert run.metadata["start"]["scan_id"] == 2
    assert run.metadata["stop"].get("exit_status", "") == "success"


def test_get_default_catalog_looks_at_what_a_catalog_has(db, catalog):
    # findCatalogsInNamespace takes what has these.
    for each in (db, catalog):
        assert hasattr(each.v2, "container")
        assert hasattr(each.v2, "metadata")
    assert db.v2.container == "catalog"
    assert db.v2.describe()["container"] == "catalog"


def test_catalogs_for_tests_are_filled_and_flushed():
    catalog = databroker.temp().v2
    for document in runs.plain():
        catalog.v1.insert(*document)
    for callbacks in catalog.v1._serializer._factory_cbs_by_start.values():
        for callback in callbacks:
            callback.close()
    catalog.force_reload()
    assert len(catalog) == 1
    with pytest.raises(ValueError, match="no 'uid'"):
        catalog.v1._serializer("start", {})


def test_get_run_data_makes_a_frame_of_a_stream(db, header):
    pytest.importorskip("xarray")
    for load in ("read", "to_dask"):
        table = getattr(db.v2[header.uid].primary, load)().to_dataframe()
        assert list(table.columns) == ["det", "motor", "motor_setpoint"]
        assert table.index.name == "time"


# -- hklpy ---------------------------------------------------------------------


def test_orientation_is_looked_for_in_descriptors(db, header):
    for run in db.v2.values():
        assert run.start["uid"][:7] == run.name[:7] == header.uid[:7]
        (descriptor,) = run.primary.descriptors
        data = {"motor_velocity": 1}
        assert descriptor["configuration"]["motor"]["data"] == data
        # As before databroker 2:
        for device, stream in run.primary.config.items():
            for descriptor in stream._descriptors:
                assert "data" in descriptor["configuration"][device]


# -- bluesky-widgets, xpdacq, pdfstream -------------------------------------------


def test_a_catalog_of_runs_is_a_broker_of_v2(catalog):
    from databroker.v2 import Broker

    assert isinstance(catalog, Broker)
    assert isinstance(catalog.search({"plan_name": "scan"}), Broker)
    assert not isinstance(databroker.catalog, Broker)


def test_search_asks_whether_words_can_be_searched_for(catalog):
    assert len(catalog.search({"$text": ""})) == 3
    assert len(catalog.search({"$text": {"$search": ""}})) == 3
    assert list(catalog.search({"$text": {"$search": "count"}})) == ["r0-run"]


def test_lines_are_chosen_by_the_first_descriptor(db, header):
    run = db.v2[header.uid]
    (descriptor,) = run.primary._descriptors
    assert descriptor["object_keys"]["det"] == ["det"]
    # What has `events` is taken for a run that sends signals.
    assert not hasattr(run, "events")


def test_configuration_is_reached_by_attribute(db, header):
    pytest.importorskip("xarray")
    config = db.v2[header.uid].primary.config
    assert config.motor.read()["motor_velocity"].values.tolist() == [1] * 5
    assert "motor" in dir(config)
    with pytest.raises(AttributeError, match="nonsense"):
        config.nonsense  # noqa: B018


# -- what a run says of itself ------------------------------------------------------


def test_a_run_knows_its_catalog(catalog):
    run = catalog[-1]
    assert run.cat == catalog
    assert run.cat.v1[run.name].uid == run.name == "r2-run"
    found = catalog.search({"plan_name": "count"})
    assert list(found[-1].cat) == ["r0-run"]


def test_a_run_is_known_again(catalog):
    runs_seen = list(catalog.values())
    assert catalog[-1] in runs_seen
    assert {catalog[-1], *runs_seen} == set(runs_seen)
    assert catalog[-1] != catalog[-2]


def test_start_and_stop_of_a_run(db, header):
    run = db.v2[header.uid]
    assert run.start == run.metadata["start"] == header.start
    assert run.stop == run.metadata["stop"] == header.stop
    assert db.v2[save(db, runs.without_stop()).uid].stop is None


def test_a_run_and_a_stream_describe_themselves(db, header):
    run = db.v2[header.uid]
    described = run.describe()
    assert described["name"] == header.uid
    assert described["container"] == "catalog"
    assert described["metadata"]["start"] == header.start
    assert run.primary.describe()["name"] == run.primary.name == "primary"


def test_a_run_is_not_equal_to_a_header_and_no_header_to_methods_of_many(db, header):
    run = db.v2[header.uid]
    assert header != run
    with pytest.raises(TypeError, match="Give headers"):
        db.get_table(run)
    with pytest.raises(TypeError, match="Give headers"):
        db.get_table([run])


# -- a plan's own run ---------------------------------------------------------------


def test_a_plan_collects_its_run_and_reads_it():
    pytest.importorskip("xarray")
    from databroker.core import SingleRunCache

    cache = SingleRunCache()
    for kind, document in runs.plain():
        assert cache.retrieve() is None
        cache.callback(kind, document)
    run = cache.retrieve()
    assert run.primary.read()["det"].values.tolist() == [1 / n for n in range(1, 6)]
    with pytest.raises(ValueError, match="one run only"):
        cache.callback("start", {"uid": "other", "time": 1.0})


def test_a_run_from_a_generator():
    from databroker.core import BlueskyRunFromGenerator

    def documents(name, *, time):
        yield from runs.plain(name, time)

    run = BlueskyRunFromGenerator(documents, ("a",), {"time": 5.0}, get_filler=None, transforms={})
    assert run.metadata["start"]["time"] == 5.0


def test_ingested_files_become_runs_in_memory():
    pytest.importorskip("xarray")
    from databroker.in_memory import BlueskyInMemoryCatalog

    made = []

    def ingest(paths):
        # Each call makes up the run anew, with other uids.
        made.append(paths)
        yield from runs.plain(f"ingested-{len(made)}")

    documents = list(ingest(["a.nxs"]))
    uid = documents[0][1]["uid"]
    catalog = BlueskyInMemoryCatalog()
    catalog.upsert(documents[0][1], documents[-1][1], ingest, [["a.nxs"]], {})
    catalog.upsert(documents[0][1], documents[-1][1], ingest, [["a.nxs"]], {})
    assert list(catalog) == [uid]
    assert catalog[-1].primary.to_dask()["motor"].values.tolist() == [1, 2, 3, 4, 5]
    assert catalog[uid].metadata["stop"]["exit_status"] == "success"


def test_a_class_of_catalogs_loads_its_runs():
    from databroker.in_memory import BlueskyInMemoryCatalog

    class Lab(BlueskyInMemoryCatalog):
        more = 1

        def _load(self):
            for n in range(self.more):
                start = {"uid": f"run {n}", "time": float(n)}
                self.upsert(start, None, lambda start=start: [("start", start)], (), {})

    lab = Lab(name="lab", metadata={"place": "B1"}, query=None)
    assert (lab.name, lab.metadata, list(lab)) == ("lab", {"place": "B1"}, ["run 0"])
    Lab.more = 2
    lab.force_reload()
    assert list(lab) == ["run 1", "run 0"]
    assert isinstance(lab, Lab)
    assert not isinstance(databroker.temp().v2, Lab)
    assert len(Lab(query={"uid": "run 1"})) == 1


# -- databroker-pack ------------------------------------------------------------------


def test_packing_takes_handlers_from_where_packages_offer_them():
    from databroker import core

    handlers = core.discover_handlers()
    assert {"npy", "HDF5"} <= set(handlers)
    assert all(map(callable, handlers.values()))
    named = core.parse_handler_registry({"NPY_SEQ": "databroker.assets.handlers.NpyHandler"})
    assert named["NPY_SEQ"] is handlers["npy"]
    with pytest.raises(ValueError, match="cannot be imported"):
        core.parse_handler_registry({"X": "no_such_lab.Handler"})
    assert core.discover_handlers("no.such.group") == {}


def test_packing_writes_a_run_in_pages_and_asks_for_its_files(db, header):
    run = db.v2[header.uid]
    with pytest.warns(UserWarning, match="canonical is now called documents"):
        kinds = {name for name, doc in run.canonical(fill="no")}
    assert kinds == {"start", "descriptor", "event_page", "stop"}
    with pytest.raises(TypeError):
        db.v2.search({"plan_name": "scan"}, no_cursor_timeout=True)
    combined = {"$and": [{"plan_name": "scan"}, dict(TimeRange(since="2020"))]}
    assert list(db.v2.search(combined)) == [header.uid]


# -- plans ----------------------------------------------------------------------------


def test_old_times_of_a_search_are_dates(catalog):
    since = datetime.date(2020, 9, 1)
    assert len(catalog.search(TimeRange(since=since, until="2021"))) == 3
