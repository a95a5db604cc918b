"""The tables of all runs of a search at once: as those of single runs, one below the other."""

from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker import Broker
from databroker.documents.encode import same
from databroker.errors import InvalidQuery, NoSuchField, NothingFoundWarning
from databroker.testing.conformance.base import quick
from helpers import runs
from helpers.many_runs import few_runs
from helpers.run_builder import opened
from helpers.runs import save


def below_each_other(headers, stream="primary"):
    """The tables of single runs as pandas puts them together."""
    tables = [header.table(stream) for header in headers if stream in header.stream_names]
    columns = list(dict.fromkeys(name for table in tables for name in table.columns))
    filled = [table for table in tables if len(table)] or tables[:1]
    if not filled:
        return pd.DataFrame(index=pd.RangeIndex(0, name="seq_num"))
    return pd.concat(filled).reindex(columns=columns)


def assert_same(found, wanted):
    """Fail unless two tables have the same columns, types and cells, None and NaN told apart."""
    assert list(found.columns) == list(wanted.columns)
    assert found.index.tolist() == wanted.index.tolist()
    assert found.index.name == wanted.index.name
    for name, one in found.items():
        other = wanted[name]
        assert one.dtype == other.dtype, name
        for left, right in zip(one.tolist(), other.tolist(), strict=True):
            assert type(left) is type(right), name
            assert left is right or same(left, right) or (left is pd.NaT), name


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def new_db(request, tmp_path_factory):
    """How a fresh broker is made."""
    return lambda: opened(request.param, tmp_path_factory.mktemp("runs"))


@pytest.mark.skipif(
    pd.__version__ < "3", reason="until then, pandas.concat warns of columns where all is missing"
)
@quick(20)
@given(documents=few_runs(), whole=st.booleans())
@pytest.mark.filterwarnings("ignore::databroker.errors.NothingFoundWarning")
@pytest.mark.filterwarnings("ignore::databroker.errors.LossyDocumentWarning")
def test_a_table_of_many_runs_is_that_of_each_below_each_other(new_db, documents, whole):
    with closing(new_db()) as db:
        if whole:
            db.store.insert_many(documents)
        else:
            for kind, doc in documents:
                db.insert(kind, doc)
        headers = list(db())
        wanted = below_each_other(headers)
        assert_same(db.get_table(headers), wanted)
        found = db().table()
        uids = [h.uid for h in headers for _ in range(len(h.table()))]
        if len(wanted):
            assert found.columns[0] == ("run_uid" if "uid" in wanted else "uid")
            assert found.iloc[:, 0].tolist() == uids
            assert_same(found.iloc[:, 2:], wanted)
        pairs = list(db().tables())
        assert [h.uid for h, _ in pairs] == [h.uid for h in headers if "primary" in h.stream_names]
        for header, table in pairs:
            assert_same(table, header.table())


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


@pytest.fixture
def many(db):
    """Runs of several kinds, the newest first."""
    made = (runs.plain, runs.two_sets_of_keys, runs.without_primary, runs.without_events)
    for make in made:
        save(db, make())
    return db()


def test_each_row_says_its_run(many):
    table = many.table(["det"], metadata=["sample.name", "time"])
    columns = ["uid", "scan_id", "sample.name", "run_time", "time", "det"]
    assert list(table.columns) == columns
    assert table.index.name == "seq_num"
    assert set(table["sample.name"]) == {"Ni"}
    assert table["scan_id"].dtype == np.int64
    assert table["run_time"].dtype == table["time"].dtype == np.dtype("datetime64[ns]")
    assert table.attrs == {"time": "UTC"}
    for header in many:
        mine = table[table["uid"] == header.uid]
        assert mine["run_time"].tolist() == [pd.Timestamp(header.start["time"], unit="s")] * len(
            mine
        )


def test_what_is_said_of_the_run_may_stand_in_the_index(many):
    table = many.table(["det"], metadata=["plan_name"], index=True)
    assert table.index.names == ["uid", "scan_id", "plan_name", "seq_num"]
    for header, one in many.tables():
        mine = table[table.index.get_level_values("uid") == header.uid]
        assert mine["det"].tolist() == one["det"].tolist()


def test_times_in_a_zone_or_as_seconds(many):
    there = many.table(metadata=["time"], timezone="Asia/Tokyo")
    assert str(there["run_time"].dt.tz) == str(there["time"].dt.tz) == "Asia/Tokyo"
    seconds = many.table(metadata=["time"], convert_times=False)
    assert seconds["run_time"].dtype == seconds["time"].dtype == np.float64


def test_another_stream_and_values_beside_the_events(many):
    assert many.table(stream="baseline")["temperature"].tolist()[-2:] == [295.0, 296.0]
    table = many.table(["motor_velocity", "plan_name"])
    assert set(table["motor_velocity"]) == {1}
    assert set(table["plan_name"]) == {"scan"}


@pytest.mark.parametrize(
    "fields", [["det", "extra"], ["motor"], ["det", "motor_velocity"], ["ex.*"]]
)
@pytest.mark.filterwarnings("ignore::databroker.errors.NothingFoundWarning")
def test_fields_that_only_some_runs_have(many, fields):
    tables = [header.table(fields=fields) for header, _ in many.tables()]
    assert_same(many.table(fields).iloc[:, 2:], pd.concat(t for t in tables if len(t)))


def test_a_field_may_be_a_key_of_some_start_documents(db):
    save(db, runs.plain("one", det_angle=5))
    save(db, runs.plain("two", runs.FIRST + 100))
    with pytest.warns(NothingFoundWarning, match="no field 'nothing'"):
        table = db().table(["det", "det_angle", "nothing"])
    assert table["det_angle"].tolist()[4:6] == [pytest.approx(np.nan, nan_ok=True), 5]


def test_fields_that_are_nowhere(many):
    with pytest.raises(NoSuchField, match="no field 'nonsense'"):
        many.table(["nonsense"])
    with pytest.warns(NothingFoundWarning, match="no field 'nonsense'"):
        assert list(many.table(["det", "nonsense"]).columns) == ["uid", "scan_id", "time", "det"]
    with pytest.warns(NothingFoundWarning, match="no stream 'nonsense'"):
        assert many.table(stream="nonsense").empty
    with pytest.raises(NoSuchField, match="no field 'nonsense'"):
        many.table(fill=["nonsense"])
    with pytest.raises(InvalidQuery, match="metadata is a list"):
        many.table(metadata="plan_name")
    with pytest.raises(ValueError, match="on_missing"):
        many.tables(on_missing="nonsense")


def test_a_search_for_a_key_that_no_run_has(db, many):
    with pytest.warns(NothingFoundWarning, match="no run has the key 'scan_ids'.*'scan_id'"):
        assert len(db(scan_ids=5).table()) == 0


def test_pages_are_parts_of_the_table(many, monkeypatch):
    monkeypatch.setattr("databroker.stores.many.PAGE_RUNS", 1)
    pages = list(many.tables().pages())
    assert len(pages) == 2
    assert_same(pd.concat(pages)[["uid", "det"]], many.table()[["uid", "det"]])


def test_descriptors_that_are_changed_on_their_way_out(many):
    def other(doc):
        return {**doc, "name": "other", "data_keys": {"det": doc["data_keys"].get("det", {})}}

    db = Broker(many._session.store, transforms={"descriptor": other})
    assert_same(db.get_table(db(), "other"), below_each_other(db(), "other"))


def test_results_that_are_sorted_and_limited(many):
    found = many.sort("uid", descending=True).limit(2)
    wanted = [header.uid for header in found]
    assert list(dict.fromkeys(found.table()["uid"])) == wanted


def test_a_header_given_twice_is_there_twice(db, many):
    header = many.sort("uid").first()
    assert_same(db.get_table([header, header]), pd.concat([header.table()] * 2))
