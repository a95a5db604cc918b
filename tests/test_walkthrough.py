"""The walkthrough that users know, statement by statement, on runs of a real RunEngine."""

import inspect
import re
import sys
import warnings

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from databroker import Broker, list_configs


@pytest.fixture(autouse=True)
def own_main(monkeypatch):
    """IPython puts a module of its own there, from which no process could be started."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def db(at_demo_home):
    with Broker.named("example") as db:
        yield db


@pytest.fixture
def header(db):
    return db[-1]


def shown(value):
    """What IPython prints for a value."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Attempting to work in a virtualenv")
        return InteractiveShell.instance().display_formatter.format(value)[0]["text/plain"]


def test_the_demonstration_is_the_one_configuration(at_demo_home):
    assert list_configs() == ["example"]


def test_the_newest_run_loads_as_a_table(header):
    table = header.table()
    assert list(table.columns) == ["time", "det", "motor", "motor_setpoint"]
    assert table.index.name == "seq_num"
    assert list(table.index) == [1, 2, 3, 4, 5]
    assert table["time"].dtype == "datetime64[ns]"
    assert [f"{value:.6f}" for value in table["det"]] == (
        ["0.606531", "0.135335", "0.011109", "0.000335", "0.000004"]
    )
    assert table["motor"].tolist() == table["motor_setpoint"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_the_table_computes_and_exports(header, tmp_path):
    table = header.table()
    means = table.mean(numeric_only=True)
    assert list(means.index) == ["det", "motor", "motor_setpoint"]
    assert means["det"] == pytest.approx(0.150663, abs=1e-6)
    assert (means["motor"], means["motor_setpoint"]) == (3.0, 3.0)
    ratio = table["det"] / table["motor"]
    assert ratio.loc[1] == pytest.approx(6.065307e-01)
    assert ratio.loc[5] == pytest.approx(7.453306e-07)
    table.to_csv(tmp_path / "data.csv")
    again = pd.read_csv(
        tmp_path / "data.csv",
        index_col="seq_num",
        parse_dates=["time"],
        converters={"det": float},  # which pandas 2 reads less exactly
    )
    assert again["det"].tolist() == table["det"].tolist()


def test_one_field_loads_lazily(header):
    data = header.data("det")
    assert inspect.isgenerator(data)
    assert re.fullmatch(r"<generator object Header\.data at 0x[0-9a-f]+>", shown(data))
    assert [f"{point:.6f}" for point in data] == (
        ["0.606531", "0.135335", "0.011109", "0.000335", "0.000004"]
    )


def test_the_metadata_shows_as_a_plain_dictionary_in_its_order(header):
    text = shown(header.start)
    assert text.startswith("{'uid': '")
    assert "'_name'" not in text
    assert list(header.start)[:3] == ["uid", "time", "versions"]
    assert header.start["plan_name"] == "scan"
    assert header.start["detectors"] == ["det"]
    assert header.start["motors"] == ["motor"]
    assert header.start["num_points"] == 5
    assert header.start["hints"] == {"dimensions": [[["motor"], "primary"]]}


def test_the_stop_document_tells_how_it_ended(header):
    assert shown(header.stop).startswith("{'uid': '") or shown(header.stop).startswith("{'run")
    assert header.stop["run_start"] == header.start["uid"]
    assert header.stop["exit_status"] == "success"
    assert header.stop["reason"] == ""
    assert header.stop["num_events"] == {"primary": 5}


def test_devices_fields_and_configuration(header):
    assert header.devices() == {"det", "motor"}
    assert header.fields() == {"det", "motor", "motor_setpoint"}
    assert header.config_data("motor") == {
        "primary": [{"motor_velocity": 1, "motor_acceleration": 1}]
    }


def test_square_brackets_find_runs(db):
    newest = [header.uid for header in db()]
    assert db[-1].uid == newest[0]
    assert db[-5].uid == newest[4]
    assert [header.uid for header in db[-5:]] == newest[:5]
    assert db[newest[2][:8]].uid == newest[2]
    scan_id = db[-2].start["scan_id"]
    assert db[scan_id].uid == newest[1]


def test_of_runs_with_one_scan_id_the_newest_is_found():
    db = Broker.from_config({"driver": "memory"})
    for n in range(3):
        db.insert("start", {"uid": f"run {n}", "time": float(n), "scan_id": 42})
    assert db[42].uid == "run 2"


def test_common_search_parameters(db):
    assert {header.start["plan_name"] for header in db(plan_name="scan")} == {"scan"}
    assert all("motor1" in header.start["motors"] for header in db(motor="motor1"))
    assert db(motor="motor1").count() > 0
    assert all("det" in header.start["detectors"] for header in db(detector="det"))
    operator = db[-1].start["operator"]
    assert db[-1] in list(db(operator=operator))
    assert list(db(since="2015-03-05", until="2015-03-10")) == []
    assert db(since="2015-03-05").count() == db().count()


def test_whole_words_are_found_and_parts_of_words_are_not(db):
    good = [header.uid for header in db("good")]
    assert good
    assert set(good) == {header.uid for header in db("good sample")} | set(good)
    assert list(db("goo")) == []


def test_results_are_lazy_and_say_why_they_are_not_a_list(db):
    headers = db(plan_name="scan")
    # What users know is the first line; below it, there is more to see.
    line, *_ = shown(headers).splitlines()
    assert re.fullmatch(r"<databroker\.v1\.Results at 0x[0-9a-f]+>", line)
    line, *_ = shown(next(iter(headers))).splitlines()
    assert re.fullmatch(r"<databroker\.v1\.Header at 0x[0-9a-f]+>", line)
    with pytest.raises(TypeError, match="'Results' object does not support indexing"):
        headers[2]
    assert next(iter(headers)) == db[-1]
    assert [header.uid for header in headers] == [header.uid for header in headers]
    for header in headers:
        assert header.table()["det"].mean() >= 0
