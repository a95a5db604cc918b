"""Tables of runs in files: the usual libraries read what `Run.table` has."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

import databroker
from databroker.export import export
from databroker.export.cells import unguarded
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


def test_csv_with_units(run, tmp_path):
    files, losses = written(run, tmp_path, units=True, streams="primary")
    with files["7_5ae1f0c2_primary.csv"].open(newline="", encoding="utf-8") as file:
        names, units, *rows = csv.reader(file)
    assert names == ["seq_num", "time", *(name for name in KEYS if name != "img")]
    assert units == ["", "", "counts", "µm", "", "", ""]
    assert len(rows) == 3
    assert "units" not in losses
