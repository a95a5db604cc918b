"""``to_frame``: a list of runs as a table, the same from every store."""

import datetime

import numpy as np
import pandas as pd
import pytest

from databroker import Broker
from databroker.errors import InvalidQuery
from databroker.queries import Key
from databroker.query.nodes import Everything, Path
from databroker.query.projection import value_at

DEFAULT = ["uid", "scan_id", "time", "plan_name", "status", "num_events"]


@pytest.fixture
def three(save):
    """Three runs, of which the newest has not ended and has no scan_id."""
    save("a", 1425531600.25, "success", scan_id=1, plan_name="scan", sample={"name": "Ni", "T": 4})
    save("b", 1425531700.5, "fail", scan_id=2, plan_name="count", sample={"name": "Cu", "T": 4.5})
    save("c", 1425531800.75, plan_name="scan", sample="Ni", motors=["x", "y"])


def test_a_key_may_hold_half_a_character(db, save):
    save("a", 1425531600.25, **{"\ud800": 5})
    frame = db().to_frame(["uid", "\ud800"])
    assert list(frame.columns) == ["uid", "\ud800"]
    assert frame["\ud800"].tolist() == [5]


@pytest.mark.usefixtures("three")
class TestThreeRuns:
    def test_the_usual_columns(self, db):
        frame = db().to_frame()
        assert list(frame.columns) == DEFAULT
        assert isinstance(frame.index, pd.RangeIndex)
        assert frame["uid"].tolist() == ["c", "b", "a"]
        assert frame["scan_id"].tolist() == [pd.NA, 2, 1]
        assert frame["plan_name"].tolist() == ["scan", "count", "scan"]
        assert frame["status"].tolist() == ["unknown", "fail", "success"]
        assert frame["num_events"].tolist() == [0, 5, 5]
        # In the broker's zone, which it shows.
        assert str(frame["time"].dtype) == "datetime64[ns, America/New_York]"
        assert str(frame["time"].iloc[2]) == "2015-03-05 00:00:00.250000-05:00"

    def test_times_in_a_zone_and_as_numbers(self, db):
        aware = db().to_frame(["time"], timezone="Asia/Tokyo")["time"]
        assert str(aware.iloc[2]) == "2015-03-05 14:00:00.250000+09:00"
        in_zone = db().to_frame(["time"], timezone=datetime.UTC)["time"]
        assert in_zone.tolist() == aware.tolist()
        seconds = db().to_frame(["time", "stop.time"], convert_times=False)
        assert seconds["time"].tolist() == [1425531800.75, 1425531700.5, 1425531600.25]
        assert seconds["stop.time"].isna().tolist() == [True, False, False]
        stops = db().to_frame(["stop.time"])["stop.time"]
        assert stops.isna().tolist() == [True, False, False]
        assert str(stops.iloc[2]) == "2015-03-05 00:01:00.250000-05:00"

    def test_any_metadata(self, db):
        columns = ["sample.name", "sample.T", "sample", "motors", "stop.exit_status", "no.thing"]
        frame = db().to_frame(columns)
        assert list(frame.columns) == columns
        assert frame["sample.name"].tolist() == [None, "Cu", "Ni"]
        assert frame["sample.T"].tolist()[1:] == [4.5, 4.0]
        assert np.isnan(frame["sample.T"].iloc[0])
        assert frame["sample"].tolist() == ["Ni", {"name": "Cu", "T": 4.5}, {"name": "Ni", "T": 4}]
        assert frame["motors"].tolist() == [["x", "y"], None, None]
        assert frame["stop.exit_status"].tolist() == [None, "fail", "success"]
        assert frame["no.thing"].tolist() == [None] * 3

    def test_a_key_says_which_document(self, db, save):
        save("d", 1.5e9, status="mine", stop={"uid": "inner"})
        keys = [Key("status"), Key("stop.uid", document="start"), Key("stop.uid")]
        frame = db().limit(1).to_frame(keys)
        assert frame.iloc[0].tolist()[:2] == ["mine", None]  # two columns of one name: the last
        assert db().limit(1).to_frame([keys[1]]).iloc[0].tolist() == ["inner"]

    def test_rows_follow_the_steps(self, db):
        assert db().sort("time").limit(2).to_frame(["uid"])["uid"].tolist() == ["a", "b"]
        assert db().limit(2).to_frame(["uid"])["uid"].tolist() == ["c", "b"]
        assert db(plan_name="scan").to_frame()["uid"].tolist() == ["c", "a"]

    @pytest.mark.parametrize("columns", ["uid", [5], [None], [Path("uid")]])
    def test_columns_are_keys(self, db, columns):
        with pytest.raises(InvalidQuery, match="column"):
            db().to_frame(columns)


def test_no_runs_give_an_empty_table_with_the_columns(db):
    frame = db().to_frame()
    assert list(frame.columns) == DEFAULT
    assert len(frame) == 0
    assert str(frame["time"].dtype) == "datetime64[ns, America/New_York]"


def test_types_are_the_plainest_that_hold_the_values(db, save):
    values = {
        "i": [1, 2],
        "im": [1, None],
        "f": [1.5, 2],
        "fm": [None, 2.5],
        "b": [True, False],
        "bm": [True, None],
        "big": [2**70, 1],
        "mixed": [1, "x"],
        "flag": [True, 1],
    }
    for number in range(2):
        save(
            f"{1 - number}",
            float(1 - number),
            **{key: each[number] for key, each in values.items()},
        )
    frame = db().to_frame(list(values))
    dtypes = {key: str(dtype) for key, dtype in frame.dtypes.items()}
    assert dtypes == {
        "i": "int64",
        "im": "Int64",
        "f": "float64",
        "fm": "float64",
        "b": "bool",
        "bm": "object",
        "big": "object",
        "mixed": "object",
        "flag": "object",
    }
    assert frame["big"].tolist() == values["big"]
    assert [type(value) for value in frame["flag"]] == [bool, int]


def test_events_are_those_of_the_main_stream_if_there_is_one(db):
    counts = [{"primary": 5, "baseline": 2}, {"monitor": 3, "baseline": 2}, {}, "odd", {"x": None}]
    for number, each in enumerate(counts):
        db.insert("start", {"uid": f"{number}", "time": float(-number)})
        stop = {"uid": f"s{number}", "run_start": f"{number}", "time": 1.0, "num_events": each}
        db.insert("stop", stop)
    assert db().to_frame()["num_events"].tolist() == [5, 5, 0, pd.NA, pd.NA]


def test_a_table_shows_documents_as_headers_do(db, save):
    save("a", 1.0, "fail", sample="Ni")
    mended = Broker(
        db.store,
        transforms={
            "start": lambda doc: {**doc, "sample": "Cu"},
            "stop": lambda doc: {**doc, "x": 1},
        },
    )
    frame = mended().to_frame(["sample", "stop.x"])
    assert frame.iloc[0].tolist() == ["Cu", 1]
    assert dict(mended().distinct("sample")) == {"Cu": 1}
    assert dict(db().distinct("sample")) == {"Ni": 1}


ODD = [
    {"v": 1, "w": {"x": 1}},
    {"v": 1.0, "w": {"x": [1]}},
    {"v": True, "w": [{"x": 1}, {"x": 1}]},
    {"v": None, "w": [{"x": 1}]},
    {"v": "text", "w.x": 5},
    {"v": "x" * 1000, "w": {"x": None}},
    {"v": "\ud800", "w": {}},
    {"v": 2**60, "w": {"x": 10**400}},
    {"v": float("nan"), "w": {"x": -(2**53)}},
    {"v": [1, 1], "w": {"x": {"y": 1}}},
    {"v": np.arange(3), "w": {"x": np.array(2)}},
    {"v": [], "w": {"x": list(range(300))}},
    {"v": float("inf"), "w.x": 5, "w": {"x": 5}},
    {},
]


@pytest.mark.parametrize("repeated", [1, 40, 200])
def test_values_are_the_same_from_leaves_and_from_documents(db, repeated):
    """With many everyday runs among them, a store may read its index instead."""
    starts = [
        {"uid": f"{number:05}", "time": float(number), "v": number % 7, "w": {"x": "y"}, **doc}
        for number, doc in enumerate([*ODD, *({} for _ in range(len(ODD) * (repeated - 1)))])
    ]
    for doc in starts:
        db.insert("start", doc)
    paths = [Path(text) for text in ("uid", "time", "v", "w", "w.x", "w.x.y", "v.0", "nothing")]
    for some in (paths, paths[:3], [paths[4]], [paths[2], paths[7]]):
        found = list(db.store.select(Everything(), some))
        wanted = [tuple(value_at(doc, None, path) for path in some) for doc in reversed(starts)]
        if Path("time") in some:  # which may come as another number that is equal
            found = [tuple(map(_timely, some, row)) for row in found]
        assert [list(map(_comparable, row)) for row in found] == [
            list(map(_comparable, row)) for row in wanted
        ]
    assert list(db.store.select(Everything(), paths[:1], 3)) == [
        (doc["uid"],) for doc in starts[:-4:-1]
    ]


def _timely(path, value):
    return float(value) if path.text == "time" else value


def _comparable(value):
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return type(value).__name__, repr(value) if value != value else value


def test_ties_in_time_are_in_order(db, save):
    for number in (5, 3, 9, 1, 7):
        save(f"{number}", 1e9, n=number)
    assert [row[0] for row in db.store.select(Everything(), [Path("uid")])] == list("71935")
    assert db().to_frame(["n"])["n"].tolist() == [7, 1, 9, 3, 5]
    assert db().limit(2).to_frame(["n"])["n"].tolist() == [7, 1]
    assert [header.start["n"] for header in db[-3:]] == [7, 1, 9]
    assert db[-1].start["n"] == 7
