"""The configuration of devices, and when values were read: one value an event."""

import numpy as np
import pandas as pd
import pytest

from databroker.errors import NoSuchField


@pytest.fixture
def stream(db, new_run, key):
    """The exposure changes at the third event, and back at the fifth."""
    run = new_run(db)
    keys = {"det": key(), "img": key("array", [2])}
    short = {"cam": {"exposure": 0.1, "mode": "fast", "roi": [0, 10]}, "motor": {"velocity": 1}}
    long = {"cam": {"exposure": 2.5, "mode": "fast", "roi": [5, 10]}, "motor": {"velocity": 1}}
    again = {"cam": {"exposure": 0.1, "mode": None, "gain": 3}, "motor": {"velocity": 1}}
    number = 0
    for config in (short, long, again):
        owner = run.descriptor(keys, time=1000.0 + number, config=config, uid=f"d{number}")
        for _ in range(2):
            number += 1
            run.event(owner, number, det=number / 2, img=[number, number])
    return run.stop().streams["primary"]


def test_each_event_has_the_value_of_its_own_descriptor(stream):
    assert list(stream.config) == ["cam", "motor"]
    found = stream.config["cam"].read()
    assert list(found.data_vars) == ["exposure", "mode", "roi", "gain"]
    assert found.exposure.values.tolist() == [0.1, 0.1, 2.5, 2.5, 0.1, 0.1]
    assert found.mode.values.tolist() == ["fast"] * 4 + [None] * 2
    assert np.array_equal(
        found.roi.values[[0, 2, 4]], [[0, 10], [5, 10], [np.nan, np.nan]], equal_nan=True
    )
    assert np.array_equal(found.gain.values, [np.nan] * 4 + [3, 3], equal_nan=True)
    assert stream.config["motor"].read().velocity.dtype == np.int64


def test_it_is_had_lazily_and_as_a_table_too(stream):
    view = stream.config["cam"]
    lazy = view.to_dask()
    assert lazy.exposure.chunks is not None
    assert lazy.exposure.values.tolist() == view.read().exposure.values.tolist()
    assert lazy.roi.shape == (6, 2)
    table = view.table()
    assert list(table) == ["time", "exposure", "mode", "roi", "gain"]
    assert table["exposure"].tolist() == [0.1, 0.1, 2.5, 2.5, 0.1, 0.1]
    assert table.index.tolist() == [1, 2, 3, 4, 5, 6]
    assert table["roi"].iloc[2].tolist() == [5, 10]
    assert view["exposure"][2:4].tolist() == [2.5, 2.5]
    assert view.timestamps.read().exposure.values.tolist() == [999.0] * 6


def test_it_says_what_it_is(stream):
    found = stream.config["cam"].read(["exposure"])
    assert found.exposure.attrs == {"units": "s", "source": "PV:test", "object": "cam"}
    assert found.attrs["stream"] == "primary"
    assert repr(stream.config) == "<Configuration of cam, motor>"
    assert repr(stream.config["motor"]) == "<Configuration of motor: velocity>"
    assert stream.config._ipython_key_completions_() == ["cam", "motor"]


def test_unknown_devices_and_fields_are_said_so(stream):
    with pytest.raises(NoSuchField, match="There are: 'cam', 'motor'"):
        stream.config["camera"]
    with pytest.raises(NoSuchField, match="Did you mean 'exposure'"):
        stream.config["cam"].read(["exposur"])
    with pytest.raises(NoSuchField):
        stream.config["cam"]["velocity"]


def test_changes_are_listed_with_the_first_event_that_has_them(stream):
    changes = stream.config_changes()
    assert list(changes) == ["seq_num", "time", "device", "field", "before", "after"]
    assert changes["time"].iloc[0] == pd.Timestamp(1003, unit="s")
    assert [tuple(row)[0:1] + tuple(row)[2:] for row in changes.itertuples(index=False)] == [
        (3, "cam", "exposure", 0.1, 2.5),
        (3, "cam", "roi", [0, 10], [5, 10]),
        (5, "cam", "exposure", 2.5, 0.1),
        (5, "cam", "mode", "fast", None),
        (5, "cam", "roi", [5, 10], None),
        (5, "cam", "gain", None, 3),
    ]


def test_events_of_two_descriptors_in_turn_change_each_time(db, new_run):
    run = new_run(db)
    owners = [
        run.descriptor(["x"], config={"m": {"v": value}}, uid=f"d{value}") for value in (1, 2)
    ]
    for number in (4, 3, 2, 1):
        run.event(owners[number % 2], number, x=number)
    stream = run.stop().streams["primary"]
    assert stream.config["m"].read().v.values.tolist() == [2, 1, 2, 1]
    assert stream.config["m"].to_dask().v.values.tolist() == [2, 1, 2, 1]
    assert stream.config_changes()["seq_num"].tolist() == [2, 3, 4]
    assert stream.read().x.values.tolist() == [1, 2, 3, 4]


def test_without_configuration_or_changes_there_is_nothing(db, new_run):
    run = new_run(db)
    run.event(run.descriptor(["x"]), x=1)
    stream = run.header.streams["primary"]
    assert dict(stream.config) == {}
    changes = stream.config_changes()
    assert len(changes) == 0
    assert changes["time"].dtype.kind == "M"


def test_timestamps_are_like_a_stream(stream):
    view = stream.timestamps
    found = view.read()
    assert list(found.data_vars) == ["det", "img"]
    assert found.img.values.tolist() == [1000.25 + n for n in range(1, 7)]
    assert found.img.attrs == {"units": "seconds since 1970-01-01 UTC", "object": "dev_img"}
    assert view.to_dask().det.values.tolist() == found.det.values.tolist()
    assert view["det"][1] == 1002.25
    table = view.table(["det"])
    assert table["det"].iloc[0] == pd.Timestamp(1001.25, unit="s")
    assert table["time"].iloc[0] == pd.Timestamp(1001, unit="s")
    plain = view.table(convert_times=False)
    assert plain["img"].tolist() == found.img.values.tolist()
    aware = view.table(timezone="America/New_York")
    assert str(aware["det"].dt.tz) == "America/New_York"
    assert "img" in view
    assert list(view) == ["det", "img"]


def test_a_stream_tells_its_devices_and_documents(stream):
    assert stream.devices == ["dev_det", "dev_img"]
    assert stream.num_events == 6
    kinds = [kind for kind, _ in stream.documents()]
    assert kinds == ["start"] + ["descriptor"] * 3 + ["event"] * 6 + ["stop"]


@pytest.mark.parametrize(
    "recorded",
    [
        {"gain": {"value": 2.5, "timestamp": 5.0}, "mode": {"value": "a", "timestamp": 6.0}},
        {"gain": 2.5, "mode": "a"},
    ],
    ids=["as read", "values"],
)
def test_configuration_that_was_recorded_in_another_layout(db, new_run, key, recorded):
    db.insert("start", {"uid": "odd", "time": 1.0})
    document = {"uid": "d", "run_start": "odd", "time": 1.0, "name": "primary"}
    document |= {"data_keys": {"x": key()}, "configuration": {"cam": recorded, "eta": {}}}
    db.insert("descriptor", document)
    document = {"uid": "e", "descriptor": "d", "seq_num": 1, "time": 2.0, "data": {"x": 1.0}}
    db.insert("event", {**document, "timestamps": {"x": 1.0}})
    header = db["odd"]
    assert header.config_data("cam") == {"primary": [{"gain": 2.5, "mode": "a"}]}
    stream = header.streams["primary"]
    assert stream.config["cam"].read().gain.values.tolist() == [2.5]
    assert stream.config["cam"].table()["mode"].tolist() == ["a"]
    assert header.table(fields=["x", "gain"])["gain"].tolist() == [2.5]
    assert header.db.v2["odd"].primary.config["cam"].read().gain.values.tolist() == [2.5]
    assert list(stream.config) == ["cam", "eta"]
