"""The few facts of a run that lists and headings have room for."""

import datetime

import pytest

from databroker.display.html import array_html
from databroker.display.markup import table
from databroker.display.summary import (
    by_people,
    by_programs,
    devices,
    duration,
    list_of_runs,
    sample,
    size,
    when,
)
from databroker.display.text import aligned, header_text, runs_text
from databroker.external import ExternalFile
from databroker.external.files.table import files_text

UTC = datetime.UTC
START = {"uid": "bb805845-5757", "time": 0, "plan_name": "scan"}


def test_what_people_said_is_told_from_what_programs_wrote():
    start = {"uid": "bb80", "time": 0, "versions": {}, "operator": "Dan", "plan_name": "scan"}
    assert by_people(start) == {"operator": "Dan"}
    assert list(by_programs(start)) == ["uid", "time", "plan_name", "versions"]


@pytest.mark.parametrize(
    ("start", "text"),
    [
        ({"motors": ["motor"], "detectors": ["det", "img"]}, "det, img vs motor"),
        ({"detectors": ["det"]}, "det"),
        ({"motors": 5}, ""),
    ],
)
def test_devices(start, text):
    assert devices(start) == text


def test_samples_have_a_name_of_their_own_or_are_one():
    assert sample({"sample": "good sample"}) == "good sample"
    assert sample({"sample": {"name": "Ni", "mass": 2}}) == "Ni"


@pytest.mark.parametrize(
    ("began", "ended", "text"),
    [
        (100.0, {"time": 100.25}, "0.25 s"),
        (0, {"time": 125}, "2 min 05 s"),
        (0, {"time": 3725}, "1 h 02 min"),
        (100.0, None, ""),
        (100.0, {"time": "late"}, ""),
        (100.0, {"time": 99.0}, ""),
    ],
)
def test_how_long_a_run_took(began, ended, text):
    assert duration({"time": began}, ended) == text


def test_when_a_run_began():
    assert when(0, UTC, now=7200) == "1970-01-01 00:00:00 UTC (2 hours ago)"
    assert when("never", UTC) == "never"


def test_sizes_for_people():
    sizes = [size(number) for number in (7, 1_234, 999_951, 3_400_000_000)]
    assert sizes == ["7 B", "1.2 kB", "1.0 MB", "3.4 GB"]


def test_cells_of_a_column_stand_below_each_other():
    assert list(aligned([("det", "1"), ("motor", "2")])) == ["det    1", "motor  2"]


def test_files_are_a_table():
    more = ("b2c1", "r", "NPY_SEQ", "/data/img")
    files = [
        ExternalFile("/data/img_0.npy", True, 1250, ("img",), *more),
        ExternalFile("/data/img_1.npy", False, None, ("img",), *more),
    ]
    assert files_text(files).splitlines() == [
        "2 files, 1 there (1.2 kB)",
        "exists  size    fields  path",
        "yes     1.2 kB  img     /data/img_0.npy",
        "no              img     /data/img_1.npy",
    ]


def test_a_list_of_runs_has_no_empty_columns():
    assert list_of_runs([(START, "fail")], UTC) == {
        "uid": ["bb805845"],
        "started (UTC)": ["1970-01-01 00:00:00"],
        "plan": ["scan"],
        "status": ["fail"],
    }
    assert runs_text([(START | {"scan_id": 5}, "fail")], UTC).splitlines() == [
        "scan_id  uid       started (UTC)        plan  status",
        "5        bb805845  1970-01-01 00:00:00  scan  fail",
    ]


def test_a_run_in_a_few_lines():
    start = {"uid": "bb80", "time": 0, "plan_name": "scan", "detectors": ["det"]}
    streams = [("primary", 5, ["det", "motor"])]
    assert header_text(start, None, streams, "running", UTC, now=60).splitlines() == [
        "Run bb80",
        "========",
        "status          : running",
        "plan            : scan (det)",
        "started         : 1970-01-01 00:00:00 UTC (1 minute ago)",
        "streams         :",
        "  primary         : 5 events: det, motor",
    ]


def test_an_array_says_how_large_it_is():
    html = array_html("img", (5, 48, 64), "uint16", 30720)
    assert "48 x 64" in html
    assert "30.7 kB" in html


def test_numbers_in_a_table_end_below_each_other():
    html = table({"stream": ["primary"], "events": ["5"], "note": [""]}, numbers=["events"])
    assert "note" not in html
    assert (html.count("text-align:right"), html.count("text-align:left")) == (2, 2)
