"""SPEC files are read by silx as the numbers of the table."""

import json
import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import databroker
from databroker.export import export
from databroker.testing.conformance.base import quick
from helpers.run_builder import RunBuilder, number

specfile = pytest.importorskip("silx.io.specfile", reason="it is what reads SPEC files")


@pytest.fixture
def db():
    with databroker.temp() as db:
        yield db


@dataclass
class Read:
    """What silx finds in the file of a run."""

    columns: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)
    positions: dict = field(default_factory=dict)
    losses: list = field(default_factory=list)

    def comments(self, scan):
        pairs = (line[3:].split(" = ") for line in self.headers[scan] if line.startswith("#C "))
        return {key: json.loads(value) for key, value in pairs}


def read(header, folder, **options):
    report = export(header, folder, "spec", **options)
    assert report, report
    found = Read(losses=list(report.losses))
    file = specfile.SpecFile(str(report.written[0]))
    for key in file.keys():  # noqa: SIM118
        scan = file[key]
        found.data[key] = scan.data.tolist()
        found.columns[key] = dict(zip(scan.labels, scan.data.tolist(), strict=scan.data.size > 0))
        found.headers[key] = [*scan.file_header, *scan.header]
        found.positions[key] = dict(zip(scan.motor_names, scan.motor_positions, strict=True))
    return found


def test_a_scan(db, tmp_path):
    hints = {"dimensions": [[["motor"], "primary"]]}
    run = RunBuilder(db, "5ae1f0c2", hints=hints, sample={"name": 'two\nlines "Ni" µ'})
    keys = {f"pos  {n}": number(units="mm") for n in range(9)} | {"mode": number("string")}
    baseline = run.descriptor(keys, name="baseline")
    for shift in (0, 0.5):
        run.event(baseline, data={f"pos  {n}": n + shift for n in range(9)} | {"mode": "fast"})
    keys = {"det": number(units="counts"), "motor": number(), "open": number("boolean")}
    owner = run.descriptor({**keys, "note": number("string")}, config={"dev_det": {"gain": 2}})
    for n in range(3):
        run.event(owner, det=n / 3, motor=n - 1, open=n == 1, note="x", time=1000.25 + n)
    found = read(run.stop(), tmp_path)
    assert list(found.columns) == ["7.1", "7.2"]
    assert list(found.columns["7.1"].items()) == [
        ("motor", [-1, 0, 1]),
        ("seq_num", [1, 2, 3]),
        ("Epoch", [0.25, 1.25, 2.25]),
        ("open", [0, 1, 0]),
        ("det", [0, 1 / 3, 2 / 3]),
    ]
    assert found.columns["7.2"]["pos_8"] == [8, 8.5]
    assert found.positions["7.1"] == {f"pos_{n}": n for n in range(9)}
    comments = found.comments("7.1")
    assert comments["start.sample.name"] == 'two\nlines "Ni" µ'
    assert comments["units.det"] == "counts"
    assert comments["configuration.dev_det.gain"] == 2
    assert "#D Thu Jan  1 00:16:40 1970" in found.headers["7.1"]
    assert "#S 7  scan" in found.headers["7.1"]
    assert "#E 1000" in found.headers["7.1"]
    assert found.losses == [
        "what is declared of fields, but for their units",
        *("the time of each value", "what is no number (note)", "what is no number (mode)"),
    ]


def test_numbers_that_are_none_do_not_end_a_row(db, tmp_path):
    run = RunBuilder(db, "odd", scan_id="none", time=1e300)
    owner = run.descriptor(["x", "y"])
    cells = [np.nan, np.inf, -np.inf, None, 5e-324, -1e300, 2.0]
    for cell in cells:
        run.event(owner, x=cell, y=1)
    found = read(run.stop(), tmp_path)
    inf = float("inf")
    assert found.columns["1.1"]["x"] == [inf, inf, -inf, inf, 5e-324, -1e300, 2]
    assert found.columns["1.1"]["y"] == [1] * len(cells)
    assert "the difference between missing numbers and infinite ones" in found.losses


def test_a_stream_without_events_and_a_run_without_streams(db, tmp_path):
    RunBuilder(db, "none").stop()
    run = RunBuilder(db, "empty")
    run.descriptor(["x"])
    assert read(db["none"], tmp_path).columns == {}
    assert read(run.stop(), tmp_path).columns == {"7.1": {}}


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
CELLS = st.one_of(
    st.tuples(kind, kind) for kind in (st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats())
)


@quick(30)
@given(st.dictionaries(NAMES, CELLS, min_size=1, max_size=5), NAMES)
def test_whatever_names_and_numbers_there_are(columns, text):
    with databroker.temp() as db, tempfile.TemporaryDirectory() as folder:
        run = RunBuilder(db, "odd", plan_name=text, sample={text: text})
        owner = run.descriptor(list(columns))
        for cells in zip(*columns.values(), strict=True):
            run.event(owner, data=dict(zip(columns, cells, strict=True)))
        found = read(run.stop(), Path(folder))
    wanted = [
        [math.inf if cell != cell else float(cell) for cell in cells]
        for cells in [(1, 2), (1, 2), *columns.values()]
    ]
    assert sorted(found.data["7.1"]) == sorted(wanted)
