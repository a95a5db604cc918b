"""Runs as mappings of streams, and streams as datasets."""

import pytest

import databroker
from databroker.queries import Key, TextQuery, TimeRange
from databroker.v2 import BlueskyEventStream, BlueskyRun, Catalog
from helpers import runs
from helpers.runs import FIRST, save


@pytest.fixture
def catalog(db):
    for n, plan in enumerate(("count", "scan", "scan")):
        save(db, runs.plain(f"r{n}", FIRST + n, plan_name=plan))
    return db.v2


@pytest.fixture
def run(db, header):
    return db.v2[header.uid]


def test_a_catalog_is_a_mapping_newest_first(catalog):
    assert list(catalog) == list(catalog.keys()) == ["r2-run", "r1-run", "r0-run"]
    assert len(catalog) == 3
    assert [uid for uid, run in catalog.items()] == list(catalog)
    assert all(isinstance(run, BlueskyRun) for run in catalog.values())
    assert "r0-run" in catalog
    assert "nonsense" not in catalog
    assert None not in catalog


@pytest.mark.parametrize("key", ["r2-run", "r2", -1, 3, "3"])
def test_a_run_is_found_in_many_ways(catalog, key):
    assert repr(catalog[key]) == "<BlueskyRun uid='r2-run'>"
    assert catalog.get(key).metadata["start"]["uid"] == "r2-run"


def test_a_run_that_is_not_there(catalog):
    with pytest.raises(KeyError):
        catalog["nonsense"]
    with pytest.raises(IndexError):
        catalog[-4]
    assert catalog.get("nonsense") is None
    assert catalog.get() is catalog() is catalog.v2 is catalog


@pytest.mark.parametrize(
    "query",
    [
        {"plan_name": "scan"},
        Key("plan_name") == "scan",
        TimeRange(since=FIRST + 1),
        TextQuery("scan"),
        {"$or": [{"scan_id": 2}, {"scan_id": 3}]},
    ],
)
def test_searches_can_be_chained(catalog, query):
    found = catalog.search(query)
    assert isinstance(found, Catalog)
    assert found.name == "search results"
    assert list(found) == ["r2-run", "r1-run"]
    assert list(found.search({"scan_id": 2})) == ["r1-run"]
    assert len(found) == 2
    assert list(catalog.search(TimeRange(until=FIRST + 1))) == ["r0-run"]
    assert list(catalog.search({}).search({})) == list(catalog)


def test_look_ups_stay_within_a_search(catalog):
    found = catalog.search({"plan_name": "count"})
    assert found[-1].metadata["start"]["uid"] == "r0-run"
    assert "r0" in found
    for key in ("r2-run", "r2", 3):
        assert key not in found
    with pytest.raises(IndexError):
        found[-2]


def test_a_search_with_a_limit(catalog):
    newest = catalog.search({}, limit=2)
    assert list(newest) == ["r2-run", "r1-run"]
    assert len(newest) == 2
    assert "r0-run" not in newest
    assert list(newest.search({"plan_name": "count"})) == []
    with pytest.raises(TypeError):
        catalog.search({}, nonsense=5)


def test_a_catalog_is_always_current(db, catalog):
    found = catalog.search({"plan_name": "new"})
    assert len(found) == 0
    save(db, runs.plain("new", FIRST + 9, plan_name="new"))
    catalog.force_reload()
    assert list(found) == ["new-run"]


def test_old_programs_clear_what_a_catalog_no_longer_keeps(db, catalog):
    db._catalog._entries.cache_clear()
    catalog._entries.cache_clear()
    assert list(db._catalog._entries) == list(catalog)
    assert repr(catalog._entries["r2-run"].get()) == repr(catalog["r2-run"])


def test_what_a_catalog_says_of_itself(db, catalog):
    assert catalog.name == db.name
    assert repr(catalog) == f"<Catalog: {db.name}>"
    assert catalog.metadata == {}
    assert catalog._ipython_key_completions_() == list(catalog)
    assert "r2-run" in catalog._repr_html_()


def test_handlers_of_a_catalog_are_the_brokers(catalog):
    catalog.register_handler("LAB", BlueskyRun)
    assert catalog.handler_registry["LAB"] is catalog.v1.reg.handler_reg["LAB"] is BlueskyRun
    catalog.deregister_handler("LAB")
    assert "LAB" not in catalog.handler_registry


def test_a_run_is_a_mapping_of_streams(run):
    assert list(run) == run.keys() == ["baseline", "primary"]
    assert len(run) == 2
    assert "primary" in run
    assert [name for name, stream in run.items()] == list(run)
    assert repr(run.primary) == repr(run["primary"]) == repr(run.values()[1])
    assert {"baseline", "primary"} <= set(dir(run))
    assert run._ipython_key_completions_() == list(run)
    assert run() is run.get() is run


def test_a_stream_that_is_not_there(run):
    with pytest.raises(KeyError, match="'baseline', 'primary'"):
        run["nonsense"]
    with pytest.raises(AttributeError, match="'baseline', 'primary'"):
        run.nonsense  # noqa: B018


def test_metadata_of_a_run(db, run):
    assert run.metadata["start"]["plan_name"] == "scan"
    assert run.metadata["stop"].to_dict() == run.metadata["stop"]
    unfinished = save(db, runs.without_stop())
    assert db.v2[unfinished.uid].metadata["stop"] is None


@pytest.mark.parametrize("fill", ["yes", "no", "delayed"])
def test_documents_come_in_pages(db, run, header, fill):
    documents = list(run.documents(fill=fill))
    kinds = {kind for kind, _ in documents}
    assert kinds == {"start", "descriptor", "event_page", "stop"}
    other = databroker.temp()
    for kind, document in documents:
        other.insert(kind, document)
    assert list(other[-1].documents()) == list(header.documents())


def test_rows_that_do_not_fit_in_one_page(db):
    header = save(db, runs.two_sets_of_keys())
    pages = [doc for kind, doc in db.v2[header.uid].documents(fill="no") if kind == "event_page"]
    assert [page["seq_num"] for page in pages] == [[1, 2], [3]]


def test_datum_documents_come_in_pages(db):
    header = save(db, runs.external())
    pages = [doc for kind, doc in db.v2[header.uid].documents(fill="no") if kind == "datum_page"]
    assert [page["datum_kwargs"] for page in pages] == [{"frame": [1, 2]}]


def test_without_a_word_on_filling_documents_are_those_of_the_header(run, header):
    assert list(run.documents()) == list(header.documents())


def test_other_words_on_filling_are_refused(run):
    with pytest.raises(ValueError, match="'yes', 'no' or 'delayed'"):
        run.documents(fill=True)


def test_old_names_of_documents_warn(run):
    documents = list(run.documents(fill="yes"))
    with pytest.warns(UserWarning, match="documents"):
        assert list(run.canonical(fill="yes")) == documents
    with pytest.warns(UserWarning, match="documents"):
        assert list(run.read_canonical()) == documents


def test_a_run_is_read_stream_by_stream(run):
    for method in (run.read, run.to_dask):
        with pytest.raises(NotImplementedError, match="'baseline', 'primary'"):
            method()


def test_a_run_in_words(run):
    assert "primary         : 5 events" in str(run)
    assert "primary" in run._repr_html_()


def test_files_of_a_resource_without_a_handler(db):
    run = db.v2[save(db, runs.external()).uid]
    with pytest.raises(KeyError, match="NOWHERE"):
        run.get_file_list({"uid": "external-res", "spec": "NOWHERE"})


@pytest.mark.parametrize("load", ["read", "to_dask"])
def test_a_stream_is_a_dataset(run, load):
    pytest.importorskip("xarray")
    dataset = getattr(run.primary, load)()
    assert list(dataset.data_vars) == ["det", "motor", "motor_setpoint"]
    assert dataset["det"].values.tolist() == [1 / n for n in range(1, 6)]
    assert dataset["time"].values.tolist() == [FIRST + 1 + n for n in range(1, 6)]
    assert dataset["det"].dims == ("time",)
    assert dataset["det"].attrs["object"] == "det"


@pytest.mark.parametrize("load", ["read", "to_dask"])
def test_some_of_the_fields(run, load):
    pytest.importorskip("xarray")
    primary = run.primary

    def fields(stream):
        return list(getattr(stream, load)().data_vars)

    assert fields(primary(include=["det"])) == ["det"]
    assert fields(primary(exclude=["det"])) == ["motor", "motor_setpoint"]
    assert fields(primary(include=["det"])(include=["motor"])) == ["motor"]
    with pytest.raises(ValueError, match="not both"):
        fields(primary(include=["det"], exclude=["motor"]))
    with pytest.raises(KeyError, match="nonsense"):
        fields(primary(include=["nonsense"]))
    assert fields(primary(exclude=["det", "nonsense"])) == ["motor", "motor_setpoint"]


def test_times_of_the_values(run):
    pytest.importorskip("xarray")
    expected = [FIRST + 1 + n for n in range(1, 6)]
    for stream in (run.primary.timestamps, run.primary(sub_dict="timestamps")):
        assert isinstance(stream, BlueskyEventStream)
        assert stream.read()["motor"].values.tolist() == expected
    assert list(run.primary.timestamps(include=["det"]).read().data_vars) == ["det"]
    with pytest.raises(ValueError, match="'timestamps'"):
        run.primary(sub_dict="nonsense").read()


def test_configuration_is_right_across_a_change(db):
    pytest.importorskip("xarray")
    header = save(db, runs.reconfigured())
    primary = db.v2[header.uid].primary
    assert primary.config["motor"].read()["motor_velocity"].values.tolist() == [1, 1, 5]
    read = primary.config_timestamps["motor"].read()
    assert read["motor_velocity"].values.tolist() == [FIRST + 1, FIRST + 1, FIRST + 4]
    again = primary(configuration_for="motor").read()
    assert again["motor_velocity"].values.tolist() == [1, 1, 5]
    assert "motor" in list(primary.config)
    for devices in (primary.config, primary.config_timestamps):
        assert "motor" in devices._ipython_key_completions_()
        with pytest.raises(KeyError, match="nonsense"):
            devices["nonsense"]


def test_metadata_of_a_stream(run, header):
    metadata = run.primary.metadata
    assert metadata["start"] == header.start
    assert metadata["stop"] == header.stop
    assert [doc["name"] for doc in metadata["descriptors"]] == ["primary"]
    assert repr(run.primary) == "<BlueskyEventStream 'primary' from Run plain-ru...>"
    assert run.primary.get() is not None


def test_catalogs_by_name(hermit):
    catalog = databroker.catalog
    assert list(catalog) == []
    (hermit / "lab.yml").write_text("driver: memory\n")
    (hermit / "9-ID.yml").write_text("driver: memory\n")
    assert list(catalog) == ["9-ID", "lab"]
    assert len(catalog) == 2
    assert "lab" in catalog
    assert catalog["lab"].name == catalog.lab.name == "lab"
    assert catalog["lab"] is not catalog["lab"]
    assert "lab" in dir(catalog)
    assert "9-ID" not in dir(catalog)
    assert catalog._ipython_key_completions_() == ["9-ID", "lab"]
    assert databroker.load_combo_catalog() is catalog
    with pytest.raises(KeyError):
        catalog["nonsense"]
    with pytest.raises(AttributeError, match="no configuration 'nonsense'"):
        catalog.nonsense  # noqa: B018


def test_a_catalog_shows_no_passwords(hermit):
    (hermit / "lab.yml").write_text(
        "driver: mongo-normalized\nuri: mongodb://ana:secret@localhost/runs\n"
    )
    assert "secret" not in repr(databroker.catalog)


def test_a_temporary_catalog():
    catalog = databroker.v2.temp()
    assert len(catalog) == 0
    assert catalog.v1.name == "temp"
