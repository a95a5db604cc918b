"""Tables of runs in files: the usual libraries read what `Run.table` has."""

import csv
import datetime
import errno
import json
import sys
from unittest.mock import ANY

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from openpyxl.utils.escape import unescape
from pyarrow import parquet

import databroker
from databroker._util.formulas import unguarded
from databroker.errors import InvalidConfiguration, MissingExtra, NotSupported
from databroker.export import export, export_table
from databroker.export.losses import CHARACTERS
from databroker.export.xlsx import workbook
from helpers import external
from helpers.run_builder import RunBuilder, number

KEYS = {
    "det": number(units="counts"),
    "motor": number("integer", units="µm"),
    "open": number("boolean"),
    "note": number("string"),
    "wave": number("array", [3]),
    "img": number("array", [2, 2], external="FILESTORE:"),
}
NOTES = ["=cmd()|' /C calc'!A0", 'quo"te, comma', "two\r\nlines"]


@pytest.fixture
def db():
    with databroker.temp() as db:
        yield db


@pytest.fixture
def run(db):
    """A run of two streams, of which one has text, arrays and an external field."""
    run = RunBuilder(db, "5ae1f0c2", sample={"name": "Ni/Cu"}, tags=["a", "b"])
    baseline = run.descriptor({"temp": number(units="K")}, name="baseline")
    run.event(baseline, temp=295.5)
    owner = run.descriptor(KEYS, config={"dev_det": {"gain": 2}})
    for n, note in enumerate(NOTES):
        data = {"det": n / 3, "motor": -n, "open": n == 1, "note": note, "img": f"datum/{n}"}
        run.event(owner, **data, wave=np.arange(3) + n)
    return run.stop()


def expected(run, stream="primary"):
    """The table as files have it."""
    table = run.table(stream, timezone="UTC").reset_index()
    return table.drop(columns="img", errors="ignore")


def written(runs, folder, *arguments, **options):
    """The files of an export that goes well."""
    report = export(runs, folder, *arguments, **options)
    assert report, report
    return {path.name: path for path in report.written}, list(report.losses)


def test_csv_is_read_as_the_table(run, tmp_path):
    files, losses = written(run, tmp_path)
    assert list(files) == ["7_5ae1f0c2_baseline.csv", "7_5ae1f0c2_primary.csv"]
    found = pd.read_csv(
        files["7_5ae1f0c2_primary.csv"],
        converters={"note": unguarded},
        parse_dates=["time"],
        date_format="ISO8601",
        engine="python",  # which reads numbers to the last digit
    )
    found["time"] = found["time"].dt.as_unit("ns")
    wanted = expected(run)
    wanted["wave"] = [json.dumps(wave.tolist()) for wave in wanted["wave"]]
    pd.testing.assert_frame_equal(found, wanted, check_exact=True, check_dtype=False)
    assert found.dtypes[["det", "motor", "open"]].tolist() == ["float64", "int64", "bool"]
    assert set(losses) == {
        *("metadata and configuration", "units", "the time of each value", "external data (img)"),
        "text that begins like a formula (an apostrophe was put before it)",
    }


def test_parquet_is_the_table(run, tmp_path):
    files, losses = written(run, tmp_path, "parquet")
    assert losses == ["the time of each value", "external data (img)"]
    found = pd.read_parquet(files["7_5ae1f0c2_primary.parquet"])
    wanted = run.table(timezone="UTC").drop(columns="img")
    found["wave"] = found["wave"].map(list)
    wanted["wave"] = wanted["wave"].map(list)
    pd.testing.assert_frame_equal(found, wanted, check_exact=True, check_dtype=False)
    assert found.dtypes.drop("note").tolist() == wanted.dtypes.drop("note").tolist()


def test_parquet_has_units_and_documents(run, tmp_path):
    files, _ = written(run, tmp_path, "parquet", streams="primary")
    schema = parquet.read_schema(files["7_5ae1f0c2_primary.parquet"])
    units = {
        each.name: each.metadata[b"units"].decode()
        for each in schema
        if each.metadata and b"units" in each.metadata
    }
    assert units == {"det": "counts", "motor": "µm"}
    assert json.loads(schema.field("open").metadata[b"data_key"]) == KEYS["open"]
    documents = {
        name: json.loads(schema.metadata[name.encode()])
        for name in ("start", "stop", "descriptors")
    }
    assert documents["start"] == run.start
    assert documents["stop"] == run.stop
    assert documents["descriptors"] == run.streams["primary"].descriptors


def test_dictionaries_of_nothing_are_text_in_parquet(db, tmp_path):
    run = RunBuilder(db, "run")
    owner = run.descriptor(["bare", "deep", "full"])
    run.event(owner, bare={}, deep=[{"a": {}}], full={"a": 1})
    files, losses = written(run.stop(), tmp_path, "parquet")
    (row,) = parquet.read_table(files["7_run_primary.parquet"]).to_pylist()
    assert (row["bare"], row["deep"], row["full"]) == ("{}", '[{"a": {}}]', {"a": 1})
    assert "types of values, which are text instead (bare, deep)" in losses


@pytest.mark.parametrize("format", ["csv", "parquet", "xlsx"])
def test_half_characters_are_told(db, tmp_path, format):
    run = RunBuilder(db, "run")
    owner = run.descriptor({"note": number("string"), "good": number("string")})
    run.event(owner, note="a\ud800", good="µ")
    _, losses = written(run.stop(), tmp_path, format)
    assert f"{CHARACTERS} (note)" in losses


@pytest.fixture
def long_run(db):
    """A run of 900 events, of which the first ones are integers."""
    run = RunBuilder(db, "long")
    owner = run.descriptor(["x"])
    for first in (0, 300, 600):
        cells = [n if first < 600 else n / 2 for n in range(first, first + 300)]
        run.page(owner, range(first + 1, first + 301), x=cells)
    return run.stop()


def test_a_long_run_is_read_in_pages_of_one_type(long_run, tmp_path, monkeypatch):
    monkeypatch.setattr("databroker.runs.arrow_tables._ROW_GROUP", 2)
    monkeypatch.setattr("databroker.runs.stream.table._PAGE_ROWS", 300)
    pages = list(long_run.streams["primary"].pages())
    assert [len(page) for page in pages] == [300, 300, 300]
    assert pd.concat(pages).equals(long_run.table())
    files, _ = written(long_run, tmp_path, "parquet")
    path = next(iter(files.values()))
    assert parquet.read_metadata(path).num_row_groups == 3
    pd.testing.assert_frame_equal(pd.read_parquet(path), long_run.table(timezone="UTC"))


def test_numbers_in_external_files_come_along_if_asked_for(db, tmp_path, monkeypatch):
    monkeypatch.setattr("databroker.runs.stream.table._PAGE_ROWS", 1)  # a page for each descriptor
    run = external.Run(db.store, "5ae1f0c2")
    run.descriptor("d")
    run.descriptor("e", pos=external.key(dtype="number", numpy="<f8"), flag=external.key(1))
    for name, data in (("pos", np.arange(3.0) / 3), ("flag", np.array([[1], [0], [1]]))):
        uri = external.write(tmp_path / f"{name}.h5", data)
        run.stream(external.HDF5, uri, name, data_key=name, dataset="/entry/data/data")
        run.stream_datum(0, 3, name, descriptor="e", first=4)
    for owner, first in (("d", 1), ("e", 4)):
        for n in range(first, first + 3):
            doc = {"uid": f"{owner}{n}", "descriptor": owner, "seq_num": n, "time": float(n)}
            data = {"det": n / 2, "img": f"datum/{n}"}
            db.insert("event", doc | {"data": data, "timestamps": dict.fromkeys(data, 1.0)})
    files, losses = written(db[-1], tmp_path, fill=True)
    assert "external data (img)" in losses
    found = pd.read_csv(next(iter(files.values())), engine="python")
    assert list(found.columns) == ["seq_num", "time", "det", "pos", "flag"]
    assert found["pos"].tolist()[3:] == [0, 1 / 3, 2 / 3]
    assert found["flag"].tolist()[3:] == [1, 0, 1]
    assert found[["pos", "flag"]][:3].isna().all(axis=None)
    _, losses = written(db[-1], tmp_path / "out")
    assert "external data (img, pos, flag)" in losses
    (tmp_path / "pos.h5").unlink()
    report = export(db[-1], tmp_path / "raise", fill=True)
    assert "pos.h5" in report.failed[0][1]
    with pytest.warns(UserWarning, match="cannot be had"):
        files, _ = written(db[-1], tmp_path / "mask", fill=True, on_missing="mask")
    found = pd.read_csv(next(iter(files.values())))
    assert found["pos"].isna().all()
    assert found["flag"].tolist()[3:] == [1, 0, 1]


def test_values_of_several_types_are_text_and_told(db, tmp_path):
    run = RunBuilder(db, "mixed")
    owner = run.descriptor(["x", "y"])
    for n, cell in enumerate([1, "a", None, 2.5, True, ["b", {"c": 1}]]):
        run.event(owner, x=cell, y=n)
    files, losses = written(run.stop(), tmp_path, "parquet")
    assert losses == ["the time of each value", "types of values, which are text instead (x)"]
    found = parquet.read_table(next(iter(files.values())))
    assert found["x"].to_pylist() == ["1", "a", None, "2.5", "True", '["b", {"c": 1}]']


def test_a_part_of_the_fields_and_streams(run, tmp_path):
    files, _ = written(run, tmp_path, "xlsx", fields=["motor", "plan_name"], streams="primary")
    book = openpyxl.load_workbook(files["7_5ae1f0c2.xlsx"])
    assert book.sheetnames == ["primary", "metadata"]
    assert next(book["primary"].values) == ("seq_num", "time", "motor", "plan_name")


def test_an_unknown_zone_is_told(run, tmp_path):
    with pytest.raises(InvalidConfiguration, match="Europe/Berlin"):
        export(run, tmp_path, timezone="Europe/Berlim")


def test_an_option_that_makes_no_sense_is_told(run, tmp_path):
    with pytest.raises(NotSupported, match="'csv' does not take that: on_missing is"):
        export(run, tmp_path, on_missing="guess")


def test_without_the_library_of_excel_it_is_said_how_to_have_it(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    for write in (
        lambda: export(run, tmp_path, "xlsx"),
        lambda: export_table(run.table(), tmp_path / "a.xlsx"),
    ):
        with pytest.raises(MissingExtra, match=r"databroker\[excel\]"):
            write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["_write", "_sync"])
def test_a_workbook_on_a_full_disk_is_not_there(run, tmp_path, monkeypatch, place):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    module = {"_write": "export.xlsx", "_sync": "_util.whole_files"}[place]
    monkeypatch.setattr(f"databroker.{module}.{place}", full)
    with pytest.raises(OSError, match="No space left"):
        export(run, tmp_path, "xlsx")
    assert list(tmp_path.iterdir()) == []


def test_what_the_system_says_of_a_workbook_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError), workbook(tmp_path / "none" / "a.xlsx") as book:
        book.add("a", pa.table({"x": [1]}).to_reader())


def test_excel_is_read_as_the_table(run, tmp_path):
    files, losses = written(run, tmp_path, "xlsx")
    sheets = pd.read_excel(files["7_5ae1f0c2.xlsx"], sheet_name=None)
    assert list(sheets) == ["primary", "baseline", "metadata"]
    found = sheets["primary"]
    wanted = expected(run)
    wanted["wave"] = [json.dumps(wave.tolist()) for wave in wanted["wave"]]
    found["note"] = found["note"].map(unescape)
    found["time"] = found["time"].dt.tz_localize("UTC")
    pd.testing.assert_frame_equal(found, wanted, check_exact=True, check_dtype=False)
    assert found.dtypes[["det", "motor", "open"]].tolist() == ["float64", "int64", "bool"]
    about = sheets["metadata"].set_index(["document", "key"])["value"]
    assert about["start", "sample.name"] == "Ni/Cu"
    assert about["start", "tags"] == '["a", "b"]'
    assert about["descriptor 1 of primary", "data_keys.motor.units"] == "µm"
    assert about["descriptor 1 of primary", "configuration.dev_det.data.gain"] == 2
    assert losses == ["the time of each value", "external data (img)"]


def test_excel_with_units(run, tmp_path):
    files, _ = written(run, tmp_path, "xlsx", units=True, timezone="Asia/Tokyo")
    rows = list(openpyxl.load_workbook(files["7_5ae1f0c2.xlsx"])["primary"].values)
    assert rows[1] == (None, "Asia/Tokyo", "counts", "µm", None, None, None)
    assert rows[2][:3] == (1, datetime.datetime(1970, 1, 1, 9, 16, 41), 0)


def test_no_cell_of_excel_is_a_formula(run, tmp_path):
    files, _ = written(run, tmp_path, "xlsx")
    cell = openpyxl.load_workbook(files["7_5ae1f0c2.xlsx"])["primary"]["F2"]
    assert (cell.value, cell.data_type) == (NOTES[0], "s")


def test_what_excel_cannot_hold_is_told(db, tmp_path):
    run = RunBuilder(db, "odd")
    owner = run.descriptor({"large": number("integer"), "far": number(), "long": number("string")})
    run.event(owner, large=2**53 + 1, far=np.inf, long="x" * 40_000, time=1e9 + 0.1234567)
    run.event(owner, large=1, far=np.nan, long=None, time=-3e9)
    files, losses = written(run.stop(), tmp_path, "xlsx")
    _, one, two = openpyxl.load_workbook(next(iter(files.values())))["primary"].values
    assert one[2:] == ("9007199254740993", "inf", "x" * 32_767)
    assert two[1:] == ("1874-12-07 18:40:00", 1, None, None)
    assert losses == [
        "the time of each value",
        "times finer than milliseconds",
        "times before 1900 as times (they are text)",
        "integers beyond 2**53 as numbers (they are text)",
        "infinite numbers as numbers (they are text)",
        "what is beyond 32,767 characters of a cell",
    ]


def test_more_rows_than_a_sheet_takes_go_on_in_another(run, tmp_path, monkeypatch):
    monkeypatch.setattr("databroker.export.xlsx._ROWS", 3)
    files, _ = written(run, tmp_path, "xlsx")
    sheets = pd.read_excel(files["7_5ae1f0c2.xlsx"], sheet_name=None)
    assert list(sheets)[:3] == ["primary", "primary (2)", "baseline"]
    assert [len(sheets[name]) for name in ("primary", "primary (2)")] == [2, 1]
    assert sheets["primary (2)"]["motor"].tolist() == [-2]


def test_more_columns_than_a_sheet_has_are_refused(run, tmp_path, monkeypatch):
    monkeypatch.setattr("databroker.export.xlsx._COLUMNS", 5)
    report = export(run, tmp_path, "xlsx")
    assert report.failed == [("5ae1f0c2", ANY)]
    assert "'primary' would have 7. Choose some of its fields" in report.failed[0][1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "sheets"),
    [
        (["a/b", "a:b"], ["a-b", "a-b (2)"]),
        (["x" * 40, "X" * 40], ["x" * 31, "X" * 27 + " (2)"]),
        (["History", "'a'", "[]"], ["History (2)", "a", "-"]),
        ([" "], ["stream"]),
    ],
)
def test_sheets_have_names_that_excel_takes(db, tmp_path, names, sheets):
    run = RunBuilder(db, "names")
    for name in names:
        run.event(run.descriptor(["x"], name=name, uid=f"d {name}"), x=1)
    files, _ = written(run.stop(), tmp_path, "xlsx")
    found = openpyxl.load_workbook(next(iter(files.values()))).sheetnames
    assert sorted(found) == sorted([*sheets, "metadata"])


def test_csv_with_units(run, tmp_path):
    files, losses = written(run, tmp_path, units=True, streams="primary")
    with files["7_5ae1f0c2_primary.csv"].open(newline="", encoding="utf-8") as file:
        names, units, *rows = csv.reader(file)
    assert names == ["seq_num", "time", *(name for name in KEYS if name != "img")]
    assert units == ["", "", "counts", "µm", "", "", ""]
    assert len(rows) == 3
    assert "units" not in losses
