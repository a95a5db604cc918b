"""The helper modules of databroker 1.x."""

import pickle
from itertools import islice

import numpy as np
import pytest

from databroker import utils
from databroker.pivot import pivot_timeseries, reset_time, zip_events
from databroker.projector import (
    ProjectionError,
    get_run_projection,
    project_summary_dict,
    project_xarray,
)
from helpers import runs
from helpers.runs import FIRST, save


def test_names_of_utils(header):
    for name in utils.__all__:
        assert hasattr(utils, name)
    assert utils.get_fields(header, "baseline") == {"temperature"}
    assert utils.get_fields(header) == header.fields()
    with pytest.raises(AttributeError):
        utils.nonsense  # noqa: B018


def test_the_search_path_follows_the_environment(hermit, monkeypatch):
    assert str(hermit) in utils.CONFIG_SEARCH_PATH
    monkeypatch.setenv("DATABROKER_PATH", "/elsewhere")
    assert utils.CONFIG_SEARCH_PATH[0] == "/elsewhere"
    assert utils.SPECIAL_NAME == "_legacy_config"
    monkeypatch.setenv("DATABROKER_TEST_MODE", "1")
    assert utils.SPECIAL_NAME == "_test_legacy_config"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"since": "2015", "a": 1}, {"a": 1, "time": {"$gte": 1420070400.0}}),
        ({"until": 5, "time": 9}, {"time": {"$lte": 5.0}}),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_times_of_a_query_are_replaced_in_place(given, expected):
    assert utils.format_time(given, "UTC") is None
    assert given == expected


def test_a_time_that_people_write():
    assert utils.normalize_human_friendly_time("1970-01-02", "UTC") == 86400.0
    with pytest.raises(ValueError, match="nonsense"):
        utils.normalize_human_friendly_time("nonsense", "UTC")


def five():
    return 5


def test_a_lazy_map_calls_each_function_once():
    called = []
    lazy = utils.LazyMap({"a": lambda: called.append(1) or "A"}, b=five)
    assert list(lazy) == ["a", "b"]
    assert "a" in lazy
    assert not called
    assert lazy["a"] == lazy["a"] == "A"
    assert called == [1]
    lazy.add(c=five)
    assert lazy["c"] == 5
    with pytest.raises(TypeError, match="'a'"):
        lazy.add({"a": five})
    with pytest.raises(KeyError):
        lazy["nonsense"]


def test_a_lazy_map_can_be_pickled():
    assert dict(pickle.loads(pickle.dumps(utils.LazyMap(a=five)))) == {"a": 5}


def test_numpy_is_made_plain():
    for value in (np.int64(5), np.arange(3), np.float32(0.5), "text", None):
        plain = utils.sanitize_np(value)
        assert type(plain).__module__ == "builtins"
        assert np.array_equal(plain, value)


def test_columns_of_events(header):
    columns = utils.transpose(list(header.events()), ["det", "motor"], "data")
    assert columns["motor"] == [1, 2, 3, 4, 5]


def test_a_folder_is_made(tmp_path):
    utils.ensure_path_exists(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    with pytest.raises(FileExistsError):
        utils.ensure_path_exists(tmp_path / "a", exist_ok=False)


def test_series_become_events(db, request):
    if db.name == "mongo":
        reason = "MongoDB keeps arrays as lists, so a part of one is a list"
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AttributeError, strict=True))
    header = save(db, runs.images())
    events = list(pivot_timeseries(header.events(), ["img"], ["det"]))
    assert len(events) == 8
    assert [event["seq_num"] for event in events] == list(range(1, 9))
    assert events[2]["data"]["det"] == 2.0
    assert events[2]["data"]["img"].tolist() == [2.0, 2.0, 2.0]
    assert len({event["uid"] for event in events}) == 8


@pytest.mark.parametrize("lazy", [True, False])
def test_events_side_by_side(header, lazy):
    flows = islice(header.events(fields=["det"]), 2), header.events("baseline")
    assert [event["data"] for event in zip_events(*flows, lazy=lazy)] == [
        {"det": 1.0, "temperature": 295.0},
        {"det": 0.5, "temperature": 296.0},
    ]
    with pytest.raises(ValueError, match="det"):
        list(zip_events(header.events(), header.events(), lazy=lazy))
    with pytest.raises(RuntimeError, match="length"):
        list(zip_events(header.events(), header.events("baseline"), lazy=lazy))


def test_time_taken_from_elsewhere(header):
    assert [event["time"] for event in reset_time(header.events(), "motor", "data")] == [
        *(1, 2, 3, 4, 5)
    ]
    assert next(reset_time(header.events(), "motor"))["time"] == FIRST + 2


PROJECTION = {
    "name": "nexus",
    "version": "1",
    "configuration": {},
    "projection": {
        "entry/title": {"type": "static", "value": "A scan"},
        "entry/sample": {"type": "linked", "location": "start", "field": "sample"},
        "entry/speed": {
            "type": "linked",
            "location": "configuration",
            "stream": "primary",
            "config_index": 0,
            "config_device": "motor",
            "field": "motor_velocity",
        },
        "entry/det": {
            "type": "linked",
            "location": "event",
            "stream": "primary",
            "field": "det",
        },
        "entry/temperature": {
            "type": "linked",
            "location": "event",
            "stream": "baseline",
            "field": "temperature",
        },
        "entry/nowhere": {"type": "linked", "location": "start", "field": "nonsense"},
        "entry/sum": {
            "type": "calculated",
            "location": "event",
            "stream": "primary",
            "field": "det",
            "calculation": {"callable": "os:system"},
        },
    },
}


@pytest.fixture
def projected(db):
    header = save(db, runs.plain(projections=[PROJECTION]))
    return db.v2[header.uid]


def test_a_projection_of_a_run(db, projected):
    assert get_run_projection(projected) == PROJECTION
    assert get_run_projection(projected, "nexus") == PROJECTION
    assert get_run_projection(projected, "nonsense") is None
    twice = save(db, runs.plain("twice", projections=[PROJECTION, PROJECTION]))
    assert get_run_projection(db.v2[twice.uid]) is None
    with pytest.raises(KeyError):
        get_run_projection(db.v2[twice.uid], "nexus")


def test_metadata_under_other_names(projected):
    values, issues = project_summary_dict(projected)
    sample = {"name": "Ni", "mass": 2.5}
    assert values == {"entry/title": "A scan", "entry/sample": sample, "entry/speed": 1}
    assert [issue.partition(":")[0] for issue in issues] == ["entry/nowhere", "entry/sum"]
    values, _ = project_summary_dict(projected, return_fields=["entry/title"])
    assert values == {"entry/title": "A scan"}


def test_data_under_other_names(projected):
    pytest.importorskip("xarray")
    dataset, issues = project_xarray(projected, projection_name="nexus")
    assert list(dataset) == ["entry/det", "entry/temperature"]
    assert dataset["entry/det"].dims == ("time",)
    assert dataset["entry/temperature"].dims == ("time_baseline",)
    assert dataset.attrs["entry/title"] == "A scan"
    assert len(issues) == 2


def test_no_projection(db, header):
    with pytest.raises(ProjectionError):
        project_summary_dict(db.v2[header.uid])
