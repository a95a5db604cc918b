"""Several headers at once."""

import inspect

import numpy as np
import pandas as pd
import pytest

import databroker
from databroker import ALL, Broker
from databroker.errors import NothingFoundWarning
from helpers import runs
from helpers.runs import save


@pytest.fixture
def headers(db, header):
    return [header, save(db, runs.two_sets_of_keys()), save(db, runs.without_primary())]


def test_arguments_are_in_their_old_order():
    def names(method):
        return [name for name in inspect.signature(method).parameters if name != "self"]

    common = ["headers", "stream_name", "fields", "fill", "handler_registry"]
    assert names(Broker.get_documents) == names(Broker.get_events) == common
    assert names(Broker.get_table) == [*common, "convert_times", "timezone", "localize_times"]
    assert names(Broker.restream) == ["headers", "fields", "fill"]
    assert names(Broker.process) == ["headers", "func", "fields", "fill"]
    assert names(Broker.get_images) == ["headers", "name", "stream_name", "handler_registry"]
    assert names(Broker.export) == ["headers", "db", "new_root", "copy_kwargs"]


def test_one_header_or_several_or_results(db, headers):
    one = list(db.get_events(headers[0]))
    assert one == list(headers[0].events())
    assert list(db.get_events((headers[0],))) == one
    assert len(list(db.get_events(db()))) == 8
    assert list(db.get_events([])) == []


@pytest.mark.parametrize("wrong", ["plain-run", ["plain-run"], [None]])
def test_what_is_no_header_is_refused(db, wrong):
    with pytest.raises(TypeError, match="Give headers"):
        db.get_table(wrong)


def test_tables_below_each_other(db, headers):
    table = db.get_table(headers)
    assert table.index.tolist() == [1, 2, 3, 4, 5, 1, 2, 3]
    assert table.index.name == "seq_num"
    assert list(table.columns) == ["time", "det", "motor", "motor_setpoint", "extra"]
    assert table["det"].dtype == np.float64
    assert table["time"].dtype == np.dtype("datetime64[ns]")
    pd.testing.assert_frame_equal(db.get_table(headers[0]), headers[0].table())


def test_headers_without_rows_change_no_types(db, headers):
    empty = save(db, runs.without_events())
    assert db.get_table([empty, headers[0]])["motor"].dtype == np.int64
    assert list(db.get_table([empty]).columns) == ["time", "det", "motor"]


@pytest.mark.parametrize("given", [[], "nonsense"])
@pytest.mark.filterwarnings("ignore::databroker.errors.NothingFoundWarning")
def test_with_nothing_to_show_the_table_is_empty(db, headers, given):
    table = db.get_table(headers if given else [], stream_name=given or "primary")
    assert table.shape == (0, 0)
    assert table.index.name == "seq_num"


def test_a_field_need_be_in_one_of_them_only(db, headers):
    table = db.get_table(headers, fields=["extra"])
    assert list(table.columns) == ["time", "extra"]
    assert len(table) == 8
    assert [event["data"] for event in db.get_events(headers, fields=["extra"])] == [{"extra": 7.0}]
    with pytest.warns(NothingFoundWarning, match="no field 'nonsense'"):
        assert list(db.get_table(headers, fields=["det", "nonsense"]).columns) == ["time", "det"]
    with pytest.raises(KeyError, match="no field 'nonsense'"):
        list(db.get_documents(headers, fields=["nonsense"]))


def test_times_of_a_table(db, header):
    seconds = db.get_table(header, convert_times=False, localize_times=False)["time"]
    assert seconds.dtype == np.float64
    assert str(db.get_table(header, timezone="Asia/Tokyo")["time"].dt.tz) == "Asia/Tokyo"


def test_documents_of_several(db, headers):
    documents = list(db.get_documents(headers))
    assert [kind for kind, _ in documents].count("start") == 3
    assert list(db.restream(headers)) == list(db.stream(headers)) == documents
    seen = []
    db.process(headers, lambda kind, document: seen.append((kind, document)))
    assert seen == documents
    assert list(db.get_documents(headers[0], "baseline")) == list(headers[0].documents("baseline"))


def test_handlers_for_one_call_are_refused(db, header):
    for method in (db.get_documents, db.get_events):
        with pytest.raises(NotImplementedError, match="register_handler"):
            list(method(header, handler_registry={}))
    with pytest.raises(NotImplementedError):
        db.get_table(header, handler_registry={})


def test_fields_and_streams_of_a_header(db, header):
    assert Broker.get_fields(header) == header.fields(ALL)
    assert db.get_fields(header, "baseline") == {"temperature"}
    with pytest.warns(NothingFoundWarning, match="no stream 'nonsense'"):
        assert db.get_fields(header, "nonsense") == set()
    assert db.stream_names_given_header(header) == ["baseline", "primary"]


def test_filling_events_that_were_handed_out_is_refused(db, header):
    event = next(header.events())
    for method in (db.fill_event, db.fill_events):
        with pytest.raises(NotImplementedError, match="fill=True"):
            method(event)


def test_copied_to_another_broker(db, headers):
    other = databroker.temp()
    assert db.export(db(), other) == []
    for header in headers:
        assert list(other[header.uid].documents()) == list(header.documents())
    assert db.export(headers[0], other) == []  # once more changes nothing


def test_copied_to_anything_with_insert(db, headers):
    class Receiver(list):
        def insert(self, kind, document):
            document["seen"] = True  # a plain dictionary of its own
            self.append(kind)

    receiver = Receiver()
    db.export(headers[0], receiver)
    assert receiver == [kind for kind, _ in headers[0].documents()]
    assert "seen" not in headers[0].start


def test_copies_are_not_changed_by_the_hook(db, header):
    db.prepare_hook = lambda kind, document: {**document, "uid": "changed"}
    other = databroker.temp()
    db.export(header, other)
    assert header.start["uid"] == "changed"
    assert other[-1].uid == "plain-run"


def test_a_run_without_files_has_no_size(db, header):
    assert db.export_size(header) == db.export_size([header, header]) == 0


def test_copying_files_reports_that_they_are_missing(db, tmp_path):
    header = save(db, runs.external())
    with pytest.raises(OSError, match="nowhere"):
        db.export(header, databroker.temp(), new_root=str(tmp_path))


def test_the_size_of_files_that_are_missing(db):
    header = save(db, runs.external())
    with pytest.raises(KeyError, match="NOWHERE"):
        db.export_size(header)


def test_stats(db, header):
    stats = db.stats()
    size = stats.pop("bytes")
    assert stats == {"store": str(db.store), "runs": 1, "waiting": 0, "refused": []}
    assert (size is None) == (db.name == "memory")
    assert size is None or size > 1000
