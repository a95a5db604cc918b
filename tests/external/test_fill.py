"""Every call that takes `fill` means the same by it."""

import numpy as np
import pytest

from databroker import Broker
from databroker.errors import FileMissing, NoSuchField, NothingFoundWarning
from databroker.stores.memory import MemoryStore
from helpers.external import IMAGE, Both

NAMES = ("img", "cam")


@pytest.fixture
def both(files):
    with Broker(MemoryStore()) as db:
        made = Both(db, files)
        made.db = db
        yield made


def events(documents):
    return [doc["data"] for kind, doc in documents if kind == "event"]


def processed(db, header, fill):
    found = []
    db.process(header, lambda kind, doc: found.append((kind, doc)), fill=fill)
    return events(found)


TABLES = {
    "header.table": lambda db, header, fill: header.table(fill=fill),
    "stream.table": lambda db, header, fill: header.streams["primary"].table(fill=fill),
    "db.get_table": lambda db, header, fill: db.get_table(header, fill=fill),
    "header.xarray": lambda db, header, fill: header.xarray(fill=fill),
    "header.xarray_dask": lambda db, header, fill: header.xarray_dask(fill=fill).compute(),
    "stream.read": lambda db, header, fill: header.streams["primary"].read(fill=fill),
    "stream.to_dask": lambda db, header, fill: header.streams["primary"].to_dask(fill=fill),
    "header.data": lambda db, header, fill: {
        name: list(header.data(name, fill=fill)) for name in NAMES
    },
}
EVENTS = {
    "header.events": lambda db, header, fill: [event["data"] for event in header.events(fill=fill)],
    "header.documents": lambda db, header, fill: events(header.documents(fill=fill)),
    "header.stream": lambda db, header, fill: events(header.stream(fill=fill)),
    "db.get_events": lambda db, header, fill: [
        event["data"] for event in db.get_events(header, fill=fill)
    ],
    "db.get_documents": lambda db, header, fill: events(db.get_documents(header, fill=fill)),
    "db.restream": lambda db, header, fill: events(db.restream(header, fill=fill)),
    "db.process": processed,
}


@pytest.mark.parametrize(
    ("fill", "filled"),
    [
        (False, ()),
        ([], ()),
        (["det"], ()),
        (True, NAMES),
        (NAMES, NAMES),
        (["cam", "det"], ("cam",)),
        ("img", ("img",)),
        ("yes", NAMES),
        ("no", ()),
        ("delayed", NAMES),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:.*(deprecated|is now called):UserWarning")
def test_all_calls_agree(both, fill, filled):
    header = both.db[-1]
    data = {"img": both.img, "cam": both.cam}
    references = {"img": [f"res/{number}" for number in range(5)], "cam": both.references}
    for call, read in TABLES.items():
        found = read(both.db, header, fill)
        for name in NAMES:
            expected = data[name] if name in filled else references[name]
            values = [np.asarray(value).tolist() for value in found[name]]
            assert values == np.asarray(expected).tolist(), call
    for call, read in EVENTS.items():
        found = read(both.db, header, fill)
        # What is in stream resources is in filled events only.
        there = [name for name in ("img", "det", "cam") if name != "cam" or name in filled]
        assert [sorted(event) for event in found] == [sorted(there)] * 5, call
        for name in set(NAMES) & set(there):
            expected = data[name] if name in filled else references[name]
            values = [np.asarray(event[name]).tolist() for event in found]
            assert values == np.asarray(expected).tolist(), call


@pytest.mark.parametrize("fill", ["igm", ["img", "igm"], ["Yes"]], ids=repr)
@pytest.mark.filterwarnings("ignore:.*(deprecated|is now called):UserWarning")
def test_a_name_that_no_field_has_is_an_error(both, fill):
    nearest = "Did you mean 'img'" if "igm" in fill else "'yes', 'no', 'delayed'"
    for call, read in (TABLES | EVENTS).items():
        with pytest.raises(NoSuchField, match=nearest):
            pytest.fail(f"{call}: {read(both.db, both.db[-1], fill)}")


def test_a_name_to_fill_need_be_in_one_of_the_streams(both):
    both.run.descriptor("b", "baseline")
    header = both.db[-1]
    found = [event["data"].get("cam") for event in header.events("baseline", fill=["img"])]
    assert found == []
    assert len(events(header.documents(fill=["cam"]))) == 5
    with pytest.raises(NoSuchField, match="'cam'"):
        list(header.events("baseline", fill=["cam"]))
    with pytest.warns(NothingFoundWarning, match="no stream 'no such stream'"):
        assert list(header.events("no such stream", fill=["cam"])) == []


def test_a_name_to_fill_need_be_in_one_of_the_headers(both):
    both.db.insert("start", {"uid": "run-2", "time": 2.0})
    keys = {"other": {"dtype": "number", "shape": [], "source": "sim"}}
    document = {"uid": "d2", "run_start": "run-2", "time": 2.0, "name": "primary"}
    both.db.insert("descriptor", {**document, "data_keys": keys})
    headers = [both.db["run-2"], both.db["run-1"]]
    assert both.db.get_table(headers, fill=["cam"])["cam"].iloc[0].shape == (4, 6)
    with pytest.raises(NoSuchField, match="'cma'"):
        both.db.get_table(headers, fill=["cma"])
    assert len(list(both.db.get_events(headers, fill="cam"))) == 5


def test_fields_that_are_called_as_a_word_are_filled_by_a_list(both):
    both.run.descriptor("odd", "odd", yes=IMAGE)
    both.run.events(["res/1"], "yes", "odd")
    header = both.db[-1]
    assert header.table("odd", fill="no")["yes"].tolist() == ["res/1"]
    for fill in ("yes", ["yes"]):
        np.testing.assert_array_equal(header.table("odd", fill=fill)["yes"].iloc[0], both.img[1])


# -- delayed -----------------------------------------------------------------


def delayed(header):
    """What each way to ask for delayed values gives: by field, value by value."""
    yield {name: list(header.table(fill="delayed")[name]) for name in NAMES}
    yield {name: list(header.data(name, fill="delayed")) for name in NAMES}
    found = [event["data"] for event in header.events(fill="delayed")]
    yield {name: [event[name] for event in found] for name in NAMES}
    pages = [
        doc for kind, doc in header.db.v2[-1].documents(fill="delayed") if kind == "event_page"
    ]
    yield {name: [value for page in pages for value in page["data"][name]] for name in NAMES}
    dataset = header.xarray(fill="delayed")
    yield {name: list(dataset[name].data) for name in NAMES}


def test_delayed_values_are_read_when_they_are_computed(both):
    dask_array = pytest.importorskip("dask.array")
    header = both.db[-1]
    for found in delayed(header):
        for name in NAMES:
            values, expected = found[name], getattr(both, name)
            assert [type(value) for value in values] == [dask_array.Array] * 5
            assert {(value.shape, value.dtype) for value in values} == {
                (expected.shape[1:], expected.dtype)
            }
            np.testing.assert_array_equal(dask_array.stack(values).compute(), expected)


def test_delayed_values_raise_when_they_are_computed(both):
    both.lose("img_0.npy", "img_1.npy", "img_2.npy", "img_3.npy", "img_4.npy", "cam.h5")
    for found in delayed(both.db[-1]):
        for name in NAMES:
            with pytest.raises(FileMissing):
                found[name][2].compute()
    (first, *_) = both.db[-1].data("cam", fill="delayed", on_missing="mask")
    with pytest.warns(UserWarning, match="cannot be had"):
        assert np.isnan(first.compute()).all()


def test_a_handler_that_cannot_say_what_it_reads_is_called_once_before(both):
    calls = []

    class Handler:
        def __init__(self, path, **kwargs):
            pass

        def __call__(self, index):
            calls.append(index)
            return both.img[index]

    both.db.reg.register_handler("NPY_SEQ", Handler, overwrite=True)
    values = list(both.db[-1].data("img", fill="delayed"))
    assert calls == [0]
    np.testing.assert_array_equal(values[3].compute(), both.img[3])
    assert calls == [0, 3]


def test_events_keep_the_references_of_delayed_values(both):
    filled = [event["filled"] for event in both.db[-1].events(fill="delayed")]
    assert [each["cam"] for each in filled] == both.references
