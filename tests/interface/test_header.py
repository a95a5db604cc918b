"""What a header offers."""

import inspect

import numpy as np
import pandas as pd
import pytest

from databroker import ALL, Header
from databroker.errors import NoSuchField, NothingFoundWarning
from helpers import runs
from helpers.runs import FIRST, save


def test_it_is_a_small_mapping_of_its_parts(header):
    assert list(header) == ["start", "descriptors", "stop", "ext"]
    assert header.keys() == list(header)
    assert dict(header.items())["start"] == header["start"] == header.start
    assert header.values()[2] == header.stop
    with pytest.raises(KeyError):
        header["uid"]


def test_get_is_getattr(header):
    assert header.get("uid") == header.uid
    assert header.get("nonsense", 5) == 5
    with pytest.raises(AttributeError):
        header.get("nonsense")


def test_headers_of_one_run_are_equal(db, header):
    assert header == db[header.uid]
    assert header != save(db, runs.reconfigured())
    assert header != header.uid
    with pytest.raises(TypeError):
        hash(header)
    with pytest.raises(TypeError):
        len(header)


def test_descriptors_come_newest_first(db):
    header = save(db, runs.reconfigured())
    assert [doc["uid"] for doc in header.descriptors] == ["reconfigured-two", "reconfigured-one"]


def test_stop_is_empty_until_there_is_one(db):
    header = save(db, runs.without_stop())
    assert header.stop == {}
    kind, document = runs.stop("no_stop")
    db.insert(kind, document)
    assert header.stop == document


def test_fields_and_devices(header):
    assert header.fields() == {"temperature", "det", "motor", "motor_setpoint"}
    assert header.fields("primary") == {"det", "motor", "motor_setpoint"}
    assert header.devices() == {"temperature", "det", "motor"}
    assert header.devices("baseline") == {"temperature"}
    with pytest.warns(NothingFoundWarning, match="no stream 'nonsense'"):
        assert header.fields("nonsense") == header.devices("nonsense") == set()


def test_the_configuration_of_a_device(db, header):
    expected = {"baseline": [{"motor_velocity": 1}], "primary": [{"motor_velocity": 1}]}
    assert header.config_data("motor") == expected
    assert header.config_data("det") == {"baseline": [{}], "primary": [{}]}
    with pytest.warns(NothingFoundWarning, match="no device 'nonsense'"):
        assert header.config_data("nonsense") == {}
    changed = save(db, runs.reconfigured()).config_data("motor")
    assert changed == {"primary": [{"motor_velocity": 1}, {"motor_velocity": 5}]}


def test_a_stream_without_a_name_is_the_primary_one(db):
    header = save(db, runs.nameless())
    assert header.stream_names == ["primary"]
    assert header.fields("primary") == db.get_fields(header, "primary") == {"det"}
    assert header.devices("primary") == set()
    assert header.config_data("det") == {}
    assert header.table()["det"].tolist() == [1.0]


def test_arguments_are_in_their_old_order():
    def names(method):
        found = inspect.signature(method).parameters.values()
        return [each.name for each in found if each.kind is not each.KEYWORD_ONLY][1:]

    assert names(Header.table) == [
        *("stream_name", "fields", "fill", "timezone", "convert_times", "localize_times")
    ]
    assert names(Header.data) == ["field", "stream_name", "fill"]
    assert names(Header.events) == ["stream_name", "fields", "fill"]
    assert names(Header.documents) == ["stream_name", "fields", "fill"]


def test_a_table(header):
    table = header.table()
    assert table.index.name == "seq_num"
    assert table.index.tolist() == [1, 2, 3, 4, 5]
    assert list(table.columns) == ["time", "det", "motor", "motor_setpoint"]
    assert table["time"].dtype == np.dtype("datetime64[ns]")
    assert table["time"].iloc[0] == pd.Timestamp(FIRST + 2, unit="s")
    assert table["motor"].dtype == np.int64
    assert table.mean(numeric_only=True)["motor"] == 3.0


def test_times_are_left_alone_only_when_asked_twice(header):
    assert header.table(convert_times=False)["time"].dtype.kind == "M"
    seconds = header.table(convert_times=False, localize_times=False)["time"]
    assert seconds.tolist()[0] == FIRST + 2
    aware = header.table(timezone="Asia/Tokyo")["time"]
    assert str(aware.dt.tz) == "Asia/Tokyo"


@pytest.mark.parametrize("stream_name", ["nonsense", ALL])
def test_the_table_of_no_stream_is_empty(header, stream_name):
    with pytest.warns(NothingFoundWarning, match="no stream"):
        table = header.table(stream_name)
    assert table.shape == (0, 0)
    assert table.index.name == "seq_num"


def test_the_table_of_a_stream_without_events_has_its_columns(db):
    table = save(db, runs.without_events()).table()
    assert list(table.columns) == ["time", "det", "motor"]
    assert len(table) == 0


def test_values_of_start_stop_and_configuration_are_fields_too(header):
    table = header.table(fields=["det", "plan_name", "exit_status", "motor_velocity"])
    assert list(table.columns) == ["time", "det", "plan_name", "exit_status", "motor_velocity"]
    assert table["plan_name"].tolist() == ["scan"] * 5
    assert list(header.data("sample")) == [{"name": "Ni", "mass": 2.5}] * 5
    assert list(header.table(fields=["exit_status"]).columns) == ["time", "exit_status"]


def test_a_pattern_means_data_keys_only(header):
    assert list(header.table(fields=["det.*", "mot.*"]).columns) == [
        *("time", "det", "motor", "motor_setpoint")
    ]
    assert list(header.table(fields=["x.*"]).columns) == ["time"]
    assert list(header.table(fields="motor").columns) == ["time", "motor"]
    assert list(header.table(fields=[]).columns) == ["time"]


def test_a_field_that_is_nowhere(header):
    with pytest.raises(KeyError, match=r"no field 'dett'.*'det'"):
        header.table(fields=["dett"])


@pytest.mark.parametrize(
    "read",
    [
        lambda header: list(header.table(fields=["det", "dett"]).columns)[1:],
        lambda header: list(next(header.events(fields=["det", "dett"]))["data"]),
        lambda header: [
            list(doc["data"])
            for kind, doc in header.documents(fields=["det", "dett"])
            if kind == "event"
        ][-1],
        lambda header: list(header.db.get_table(header, fields=["det", "dett"]).columns)[1:],
        lambda header: list([*header.db.get_events(header, fields=["dett", "det"])][-1]["data"]),
    ],
)
def test_fields_that_are_there_come_with_one_warning_of_the_others(header, recwarn, read):
    assert read(header) == ["det"]
    assert [each.category for each in recwarn] == [NothingFoundWarning]
    assert "no field 'dett'. Did you mean 'det'?" in str(recwarn[0].message)


def test_data_of_a_field_that_is_nowhere_is_nothing_with_a_warning(header):
    with pytest.warns(NothingFoundWarning, match=r"no field 'dett'. Did you mean 'det'\?"):
        assert list(header.data("dett")) == []


def test_a_field_that_is_nowhere_alone_is_an_error(header):
    stream = header.streams["primary"]
    for read in (
        lambda: header.table(fields="dett"),
        lambda: list(header.events(fields="dett")),
        lambda: stream.table(["det", "dett"]),
        lambda: stream.read(["det", "dett"]),
        lambda: stream["dett"],
        lambda: list(stream.data("dett")),
        lambda: list(stream.documents(["det", "dett"])),
        lambda: header.xarray(fields=["det", "dett"]),
        lambda: header.align(fields=["det", "dett"]),
    ):
        with pytest.raises(NoSuchField, match="Did you mean 'det'"):
            read()


def test_data_is_a_generator_as_it_always_was(header):
    data = header.data("det")
    assert repr(data).startswith("<generator object Header.data at 0x")
    assert list(data) == [1 / n for n in range(1, 6)]
    assert list(header.data("temperature", "baseline")) == [295.0, 296.0]
    with pytest.warns(NothingFoundWarning, match="no stream 'nonsense'"):
        assert list(header.data("det", "nonsense")) == []


def test_events(header):
    events = list(header.events(fields=["det"]))
    assert [event["data"] for event in events] == [{"det": 1 / n} for n in range(1, 6)]
    assert [event["seq_num"] for event in header.events("baseline")] == [1, 2]
    assert len(list(header.events(ALL))) == 7
    times = [event["time"] for event in header.events(ALL)]
    assert times == sorted(times)


def test_documents(header):
    kinds = [kind for kind, _ in header.documents()]
    assert kinds == ["start", *["descriptor"] * 2, *["event"] * 7, "stop"]
    kinds = [kind for kind, _ in header.documents("baseline")]
    assert kinds == ["start", "descriptor", "event", "event", "stop"]


def test_documents_give_the_run_again(db, header):
    import databroker

    other = databroker.temp()
    for kind, document in header.documents():
        other.insert(kind, document)
    assert list(other[-1].documents()) == list(header.documents())


def test_without_a_stop_documents_end_without_one(db):
    assert [kind for kind, _ in save(db, runs.without_stop()).documents()][-1] == "event"


def test_stream_is_documents_and_warns(header):
    with pytest.warns(UserWarning, match=r"Header\.documents"):
        assert list(header.stream()) == list(header.documents())


def test_rows_are_in_order_whatever_their_descriptor(db):
    table = save(db, runs.two_sets_of_keys()).table()
    assert table.index.tolist() == [1, 2, 3]
    assert list(table.columns) == ["time", "det", "motor", "extra"]
    assert table["extra"].isna().tolist() == [True, True, False]


def test_external_fields_hold_ids_unless_filled(db):
    header = save(db, runs.external())
    assert header.table()["img"].tolist() == ["external-res/1", "external-res/2"]
    assert header.table(fields=["det"], fill=True)["det"].tolist() == [1.0, 2.0]
    assert list(header.data("det")) == [1.0, 2.0]
    assert header.table(fill=[]).shape == header.table(fill=["det"]).shape == (2, 3)
    kinds = [kind for kind, _ in header.documents()]
    assert kinds.index("resource") < kinds.index("datum") < kinds.index("event")


@pytest.mark.parametrize(
    "read",
    [
        lambda header: header.table(fill=True),
        lambda header: header.table(fill=["img"]),
        lambda header: list(header.data("img")),
        lambda header: list(header.events(fill=True)),
        lambda header: list(header.documents(fill=True)),
    ],
)
def test_filling_reports_the_handler_that_is_missing(db, read):
    header = save(db, runs.external())
    with pytest.raises(KeyError, match="NOWHERE"):
        read(header)


def test_fill_makes_no_difference_where_nothing_is_external(header):
    pd.testing.assert_frame_equal(header.table(fill=True), header.table())
    assert list(header.documents(fill=True)) == list(header.documents())


def test_a_table_of_all_streams_is_empty_as_ever_and_says_so(header):
    with pytest.warns(NothingFoundWarning, match="no stream 'ALL'. It has: 'baseline', 'primary'"):
        assert header.table(ALL).shape == (0, 0)
    with pytest.warns(NothingFoundWarning, match="no stream 'ALL'"):
        assert header.db().table(stream=ALL).empty
