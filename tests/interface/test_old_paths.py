"""Import paths of databroker 1.x: what is there does what its name says, what is gone says so."""

import importlib
import warnings

import numpy as np
import pytest

import databroker
from databroker import core
from databroker.config import load
from databroker.errors import DatabrokerError, DuplicateHandler
from databroker.v1 import own_broker
from helpers import runs
from helpers.runs import FIRST, save

DRIVERS = [
    ("mongo_normalized", "BlueskyMongoCatalog", ("mongodb://h/a", "mongodb://h/b")),
    ("mongo_embedded", "BlueskyMongoCatalog", ("mongodb://h/a",)),
    ("msgpack", "BlueskyMsgpackCatalog", ("/data/*.msgpack",)),
    ("jsonl", "BlueskyJSONLCatalog", (["/data/a.jsonl"],)),
]


def driver(module, name):
    return getattr(importlib.import_module(f"databroker._drivers.{module}"), name)


# -- catalogs --------------------------------------------------------------------


@pytest.mark.parametrize(("module", "name", "places"), DRIVERS)
def test_every_catalog_is_one_of_every_driver(db, header, module, name, places):
    cls = driver(module, name)
    assert issubclass(cls, databroker.v2.Catalog)
    for catalog in (db.v2, db.v2.search({}), databroker.v2.temp()):
        assert isinstance(catalog, cls)
    assert not isinstance(db, cls)
    assert not isinstance(db.v2[header.uid], cls)


@pytest.mark.parametrize("name", ["msgpack", "jsonl"])
def test_catalogs_of_files_are_opened_by_their_class(name, empty_home):
    cls = driver(name, f"Bluesky{ {'msgpack': 'Msgpack', 'jsonl': 'JSONL'}[name] }Catalog")
    for places in (f"{empty_home}/*.{name}", [str(empty_home / "one" / f"*.{name}")]):
        catalog = cls(places, name="lab", handler_registry={}, root_map={"/a": "/b"})
        catalog.v1.insert("start", {"uid": "a", "time": 1.0})
        assert list(cls(places)) == ["a"]


def test_an_argument_that_no_catalog_takes_is_refused():
    from databroker.in_memory import BlueskyInMemoryCatalog

    assert len(BlueskyInMemoryCatalog(filler_class=object)) == 0
    with pytest.raises(TypeError, match="nonsense"):
        BlueskyInMemoryCatalog(nonsense=5)


def test_settings_of_a_catalog_are_those_of_its_broker():
    from databroker.in_memory import BlueskyInMemoryCatalog

    catalog = BlueskyInMemoryCatalog(
        handler_registry={"LAB": "json.JSONDecoder"},
        root_map={"/a": "/b"},
        transforms={"start": lambda doc: {**doc, "sample": "Ni"}},
    )
    catalog.v1.insert("start", {"uid": "a", "time": 1.0})
    assert catalog["a"].metadata["start"]["sample"] == "Ni"
    assert list(catalog.handler_registry) == ["LAB"]
    assert catalog.root_map == {"/a": "/b"}


# -- databroker.core ---------------------------------------------------------------


def test_runs_and_streams_are_instances(db, header):
    run = db.v2[header.uid]
    assert isinstance(run, core.BlueskyRun)
    assert isinstance(run.primary, core.BlueskyEventStream)
    assert isinstance(db[header.uid], core.Header)


@pytest.mark.parametrize("module", ["_core", "broker", "core", "databroker", "v1"])
def test_classes_have_many_old_paths(module):
    old = importlib.import_module(f"databroker.{module}")
    assert old.Header is databroker.Header
    assert getattr(old, "Broker", databroker.Broker) is databroker.Broker


def test_documents_by_kind_cannot_be_changed():
    kinds = ("Start", "Stop", "Resource", "Descriptor", "Event", "EventPage", "Datum", "DatumPage")
    for name in kinds:
        document = getattr(core, name)(uid="a", inner={"x": [1]})
        assert isinstance(document, core.Document)
        assert document == {"uid": "a", "inner": {"x": [1]}}
        assert repr(document) == f"{name}({dict(document)!r})"
        with pytest.raises(core.NotMutable):
            document["uid"] = "b"
        plain = document.to_dict()
        plain["inner"]["x"].append(2)
        assert type(plain) is dict
        assert document["inner"] == {"x": [1]}


def test_a_long_document_is_shown_on_several_lines():
    pretty = pytest.importorskip("IPython.lib.pretty").pretty
    document = core.Event(uid="a" * 40, descriptor="b" * 40, data={"x": 1})
    shown = pretty(document)
    assert len(shown.splitlines()) == 3
    assert eval(shown, vars(core)) == document


def test_pages_of_events_and_of_datums(db, header):
    def events(stream, *, kept):
        return (event for event in header.events(stream) if event["seq_num"] in kept)

    pages = list(core.to_event_pages(events, 2)("primary", kept=(1, 2, 5)))
    assert [page["seq_num"] for page in pages] == [[1, 2], [5]]
    assert pages[0]["data"]["motor"] == [1, 2]
    datums = [{"datum_id": f"r/{n}", "resource": "r", "datum_kwargs": {"n": n}} for n in range(3)]
    pages = list(core.to_datum_pages(lambda: iter(datums), 2)())
    assert [page["datum_id"] for page in pages] == [["r/0", "r/1"], ["r/2"]]


def test_transforms_are_functions_or_named():
    parsed = core.parse_transforms({"start": "copy.copy", "stop": dict})
    assert parsed["start"]({"uid": "a"}) == parsed["resource"]({"uid": "a"}) == {"uid": "a"}
    assert parsed["stop"] is dict
    with pytest.raises(NotImplementedError, match="'event'"):
        core.parse_transforms({"event": dict})
    with pytest.raises(ValueError, match="Transforms are"):
        core.parse_transforms([dict])


def test_a_method_is_tried_once_more():
    class Runs:
        reloads = 0

        def force_reload(self):
            self.reloads += 1

        @core.retry
        def look(self):
            raise KeyError("never there")

    looked = Runs()
    with pytest.raises(KeyError):
        looked.look()
    assert looked.reloads == 1


# -- handlers ----------------------------------------------------------------------


def test_an_image_stack_is_a_part_of_a_dataset():
    from databroker.assets.handlers import ImageStack

    stack = ImageStack(np.arange(24).reshape(6, 2, 2), 2, 5)
    assert len(stack) == 3
    assert stack.frame_shape == (2, 2)
    assert stack.shape == (3, 2, 2)
    assert stack.dtype == stack.pixel_type == np.dtype(int)
    assert stack[0].tolist() == [[8, 9], [10, 11]]
    assert np.array_equal(stack[-1], stack[2])
    assert np.asarray(stack).shape == (3, 2, 2)
    assert np.asarray(stack[5:]).shape == (0, 2, 2)
    with pytest.raises(IndexError):
        stack[3]


def test_arrays_in_files_by_their_old_handlers(tmp_path):
    from databroker.assets.handlers import DATHandler, NpyFrameWise, NpyHandler

    array = np.arange(12.0).reshape(3, 2, 2)
    np.save(tmp_path / "a.npy", array)
    np.savetxt(tmp_path / "a.dat", array[0])
    path = str(tmp_path / "a.npy")
    assert np.array_equal(NpyHandler(path)(), array)
    assert np.array_equal(NpyHandler(path, mmap_mode="r")(), array)
    assert np.array_equal(NpyFrameWise(path)(1), array[1])
    assert np.array_equal(DATHandler(str(tmp_path / "a.dat"))(), array[0])


def test_images_in_files_by_their_old_handlers(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    from databroker.assets.handlers import SingleTiffHandler

    tifffile.imwrite(tmp_path / "a.tif", np.arange(6, dtype="u2").reshape(2, 3))
    assert SingleTiffHandler(str(tmp_path / "a.tif"))().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_maps_in_files_by_their_old_handlers(tmp_path):
    h5py = pytest.importorskip("h5py")
    from databroker.assets.handlers import HDFMapsEnergyHandler, HDFMapsSpectrumHandler

    data = np.arange(24).reshape(4, 3, 2)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["MAPS/mca_arr"] = data
    path = str(tmp_path / "a.h5")
    assert np.array_equal(HDFMapsSpectrumHandler(path, "mca_arr")(2, 1), data[:, 2, 1])
    assert np.array_equal(HDFMapsEnergyHandler(path, "mca_arr")(3), data[3])


def test_other_names_of_the_handlers_module():
    from databroker.assets import handlers

    assert handlers.XS3_XRF_DATA_KEY == "entry/instrument/detector/data"
    assert np.isnan(handlers.DummyAreaDetectorHandler("x.h5", 2)(point_number=0)).all()
    assert issubclass(handlers.DummyAreaDetectorHandler, handlers.HandlerBase)
    pytest.importorskip("area_detector_handlers")
    assert isinstance(handlers.Xspress3HDF5Handler, type)


def test_handlers_are_registered_where_none_are_discovered():
    from databroker._core import register_builtin_handlers

    bare = databroker.Broker.from_config({"driver": "memory"}, auto_register=False)
    bare.reg.register_handler("npy", dict)
    register_builtin_handlers(bare.reg)
    register_builtin_handlers(bare.reg)
    assert bare.reg.handler_reg["npy"] is dict
    assert "HDF5" in bare.reg.handler_reg


def test_a_second_handler_is_the_same_error_by_every_path(db):
    from databroker import utils, v2
    from databroker.assets import base_registry, handlers_base

    for module in (utils, v2, handlers_base, base_registry):
        assert module.DuplicateHandler is DuplicateHandler
    db.reg.register_handler("LAB", dict)
    with pytest.raises(utils.DuplicateHandler) as caught:
        db.reg.register_handler("LAB", list)
    assert type(caught.value) is DuplicateHandler


# -- images ------------------------------------------------------------------------


def test_images_are_chosen_by_lists_of_numbers_and_by_masks(db):
    header = save(db, runs.images())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images = db.get_images(header, "img")
    everything = np.asarray(images)
    assert np.array_equal(images[[0, 1]], everything[[0, 1]])
    assert np.array_equal(images[[-1, 0]], everything[[-1, 0]])
    assert np.array_equal(images[np.arange(2)][1:], everything[1:2])
    mask = np.arange(len(images)) % 2 == 1
    assert np.array_equal(images[mask], everything[mask])
    assert np.array_equal(images[np.int64(1)], everything[1])
    with pytest.raises(IndexError):
        images[[0, len(images)]]


# -- helpers -----------------------------------------------------------------------


def test_flows_are_interlaced_by_time():
    from databroker.eventsource.shim import interlace_gens

    flows = ([{"time": t, "flow": flow} for t in times] for flow, times in enumerate([[1, 4], [1]]))
    assert [(d["time"], d["flow"]) for d in interlace_gens(*flows)] == [(1, 0), (1, 1), (4, 0)]


def test_configurations_by_their_old_path(hermit):
    from databroker import utils

    (hermit / "lab.yml").write_text("driver: memory\ndescription: a lab\n")
    assert utils.list_configs() == ["lab"]
    assert utils.lookup_config("lab")["driver"] == "memory"
    assert utils.describe_configs() == {"lab": "a lab"}


def test_a_function_is_applied_at_any_depth():
    from databroker.utils import apply_to_dict_recursively, sanitize_np

    document = {"a": np.int64(5), "inner": {"deep": {"b": np.arange(2)}}}
    apply_to_dict_recursively(document, sanitize_np)
    assert document == {"a": 5, "inner": {"deep": {"b": [0, 1]}}}


# -- the broker that was made by itself ------------------------------------------------


@pytest.fixture
def default(hermit, monkeypatch):
    monkeypatch.delenv("DATABROKER_TEST_MODE", raising=False)
    own_broker._broker.cache_clear()
    yield hermit
    own_broker._broker.cache_clear()


def test_functions_of_the_package_need_a_configuration_only_when_called(default):
    from databroker import get_events, get_fields, get_images, get_table, process, restream

    for function in (get_events, get_fields, get_images, get_table, process, restream):
        with (
            pytest.warns(UserWarning, match="deprecated"),
            pytest.raises(LookupError, match=r"Broker\.named"),
        ):
            function(None)


def test_a_single_configuration_is_the_default_and_is_named_once(default):
    (default / "lab.yml").write_text("driver: memory\n")
    with pytest.warns(UserWarning, match="'lab'"):
        db = databroker.db
    save(db, runs.plain())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert databroker.DataBroker is db
        assert importlib.import_module("databroker.databroker").DataBroker is db
    with pytest.warns(UserWarning, match="deprecated"):
        assert len(databroker.get_table(db[-1])) == 5
    (default / "other.yml").write_text("driver: memory\n")
    own_broker._broker.cache_clear()
    with pytest.raises(AttributeError, match="here are 2"):
        databroker.db  # noqa: B018


# -- what is gone ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "instead"),
    [
        ("databroker.headersource", "Broker.insert"),
        ("databroker.headersource.mongo", "Broker.named"),
        ("databroker.resource_registry", "db.reg"),
        ("databroker.assets.mongo", "db.reg"),
        ("databroker.assets.sqlite", "driver"),
        ("databroker.v0", "databroker.Broker"),
    ],
)
def test_a_module_that_is_gone_says_what_to_use(module, instead):
    with pytest.raises(ImportError, match=instead) as caught:
        importlib.import_module(module)
    assert isinstance(caught.value, DatabrokerError)


def test_configurations_that_name_gone_modules_are_read(hermit):
    (hermit / "old.yml").write_text(
        "metadatastore:\n"
        "  module: databroker.headersource.mongo\n"
        "  class: MDS\n"
        "  config: {host: localhost, port: 27017, database: md, timezone: UTC}\n"
        "assets:\n"
        "  module: databroker.assets.mongo\n"
        "  class: Registry\n"
        "  config: {host: localhost, port: 27017, database: fs}\n"
    )
    assert databroker.list_configs() == ["old"]
    assert load("old").driver == "mongo-normalized"


# -- pivot and projector ------------------------------------------------------------------


def series(run="run", length=3):
    keys = {
        "x": {"source": "sim", "dtype": "array", "shape": (length,)},
        "T": {"source": "sim", "dtype": "number", "shape": ()},
    }
    descriptor = {"uid": f"{run} desc", "run_start": run, "time": FIRST, "data_keys": keys}
    for n in range(2):
        yield {
            "uid": f"e{n}",
            "time": FIRST + n,
            "seq_no": n,
            "descriptor": descriptor,
            "data": {"x": [10 * n + k for k in range(length)], "T": n},
            "timestamps": {"x": FIRST, "T": FIRST},
        }


def test_events_that_hold_their_descriptor_are_turned_about_with_it():
    from databroker.pivot import pivot_timeseries

    events = list(pivot_timeseries(series(), "x", "T"))
    assert [event["data"]["x"] for event in events] == [0, 1, 2, 10, 11, 12]
    assert [event["data"]["_ind"] for event in events] == [0, 1, 2, 0, 1, 2]
    assert [event["seq_no"] for event in events] == list(range(6))
    keys = events[4]["descriptor"]["data_keys"]
    assert keys["x"] == {"shape": (), "dtype": "number", "source": "e1"}
    assert set(keys) == set(events[4]["data"]) == set(events[4]["timestamps"])
    assert events[4]["descriptor"]["run_start"] == "run"


def test_what_cannot_be_turned_about_or_joined_is_said():
    from databroker.pivot import pivot_timeseries, zip_events

    for pivots, statics in [("x", "x"), ("T", "x")]:
        with pytest.raises(RuntimeError, match=r"'x'|'T'"):
            list(pivot_timeseries(series(), pivots, statics))
    with pytest.raises(RuntimeError, match="different runs"):
        list(zip_events(series("a"), series("b")))
    with pytest.raises(RuntimeError, match="fields"):
        list(zip_events(series("a"), series("a")))
    plain = [{"descriptor": "d", "uid": "e", "time": 1.0, "data": {"n": 5}, "timestamps": {}}]
    with pytest.raises(ValueError, match="no series"):
        list(pivot_timeseries(plain, ["n"]))


def doubled(run: core.BlueskyRun, *args, factor=1):
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray([factor * value for value in args])


def unaware(run, *args):
    raise AssertionError("called")


def calculation(function, module=__name__):
    return {
        "type": "calculated",
        "location": "event",
        "callable": f"{module}:{function}",
        "args": [1, 2],
        "kwargs": {"factor": 2},
    }


def configured(index):
    return {
        "type": "linked",
        "location": "configuration",
        "stream": "primary",
        "config_index": index,
        "config_device": "motor",
        "field": "motor_velocity",
    }


def shown(db, projection):
    pytest.importorskip("xarray")
    from databroker.projector import project_xarray

    header = save(db, runs.reconfigured())
    return project_xarray(db.v2[header.uid], projection={"projection": projection})


def test_configuration_is_found_in_what_a_projection_shows(db):
    from databroker.projector import get_xarray_config_field

    event = {"type": "linked", "location": "event", "stream": "primary", "field": "motor"}
    dataset, issues = shown(
        db, {"position": event, "before": configured(0), "after": configured(1)}
    )
    assert issues == []
    speeds = [
        get_xarray_config_field(dataset, "position", index, "motor", "motor_velocity")
        for index in (0, 1)
    ]
    assert speeds == [1, 5]


def test_what_is_to_be_calculated_is_by_a_function_that_was_written_for_it(db, monkeypatch):
    import sys

    # As where somebody imported it.
    monkeypatch.setitem(sys.modules, "lab_projections", sys.modules[__name__])
    ours = calculation("doubled", "lab_projections")
    dataset, issues = shown(db, {"doubled": ours})
    assert issues == []
    assert dataset["doubled"].values.tolist() == [2, 4]


@pytest.mark.parametrize(
    "target",
    [
        "lab_projections:unaware",
        "lab_projections:nonsense",
        "os:system",
        "subprocess:Popen",
        "antigravity:fly",
        "databroker.projector:project_xarray",
        "no module at all",
    ],
)
def test_no_other_function_that_a_document_names_is_called(db, monkeypatch, target):
    import sys

    monkeypatch.setitem(sys.modules, "lab_projections", sys.modules[__name__])
    rule = {**calculation("x"), "callable": target}
    dataset, issues = shown(db, {"bad": rule, "flat": {**rule, "callable": 5}})
    assert list(dataset) == []
    assert len(issues) == 2
    assert "is not called" in issues[0]
    assert "antigravity" not in sys.modules


def test_a_projector_of_ones_own_is_told_what_is_shown(db):
    pytest.importorskip("xarray")
    from databroker.projector import Projector

    event = {"type": "linked", "location": "event", "stream": "primary", "field": "motor"}
    sample = {"type": "linked", "location": "start", "field": "plan_name"}
    projection = {"projection": {"plan": sample, "speed": configured(1), "position": event}}
    told = []
    run = db.v2[save(db, runs.reconfigured()).uid]
    projector = Projector(*[lambda *given: told.append(given)] * 3)
    projector.project(run, projection=projection)
    *values, (shown, stream, field, array) = told
    assert values == [
        ("plan", "scan"),
        ("speed", "primary", 1, "motor", "motor_velocity", 5),
    ]
    assert (shown, stream, field) == ("position", "primary", "motor")
    assert array.values.tolist() == run.primary.read()["motor"].values.tolist()
    assert projector.issues == []
    nobody = Projector()
    nobody.project(run, projection)
    assert nobody.issues == []


def test_a_stream_or_a_field_that_is_not_there_is_an_issue(db):
    event = {"type": "linked", "location": "event", "stream": "primary", "field": "nonsense"}
    dataset, issues = shown(db, {"field": event, "stream": {**event, "stream": "nowhere"}})
    assert list(dataset) == []
    assert len(issues) == 2
