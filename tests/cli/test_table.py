"""Tables of events, as wide as the terminal."""

import re

import numpy as np
import pytest

from helpers.lab import save


def test_table(run):
    code, out, _ = run("table", "-1")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["time", "det", "motor", "motor_setpoint"]
    assert lines[2].endswith("0.606531    1.0             1.0")
    assert lines[7].startswith("The times are of 20")
    assert len(lines) == 8


def test_table_of_a_stream_and_of_fields(run):
    _, out, _ = run("table", "3", "--stream", "baseline", "--fields", "temperature, motor")
    assert set(out.splitlines()[0].split()) == {"time", "temperature", "motor"}
    assert len(out.splitlines()) == 5


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("columns", [3, 20, 100])
def test_each_row_is_one_line_and_what_has_no_room_is_told(
    lab, run_at_lab, monkeypatch, columns, width
):
    with lab() as db:
        save(db, "u1", lambda n: {f"column_{k}": n * k / 3 for k in range(columns)}, events=30)
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    rows = [line for line in lines if re.match(r"\d+ +\d\d:\d\d:\d\d\.\d{3} ", line)]
    assert [int(row.split()[0]) for row in rows] == list(range(1, 31))
    assert max(map(len, lines)) <= width
    shown = re.findall(r"column_(\d+)", lines[0])
    assert len(rows[0].split()) == len(shown) + 2
    told = " ".join(lines[32:])
    assert "The times are of 2023-11-14 UTC." in told
    left_out = columns - len(shown)
    named = re.findall(r"column_(\d+)", told)
    more = re.search(r"and (\d+) more", told)
    assert len(named) + (int(more[1]) if more else 0) == left_out
    assert not set(named) & set(shown)
    assert ("Choose columns with --fields." in told) == bool(left_out)


def test_in_a_pipe_every_column_is_given(lab, run_at_lab, monkeypatch):
    with lab() as db:
        save(db, "u1", lambda n: {f"column_{k}": n * k / 3 for k in range(100)})
    monkeypatch.delenv("COLUMNS")
    out = run_at_lab("table", "-b", "lab")[1]
    assert len(out.splitlines()[0].split()) == 101
    assert "Left out" not in out


def test_long_columns_yield_to_others(lab, run_at_lab, monkeypatch):
    with lab() as db:
        save(db, "u1", lambda n: {"text": "x" * 500, "det": n / 3, "motor": float(n)})
    monkeypatch.setenv("COLUMNS", "60")
    out = run_at_lab("table", "-b", "lab")[1]
    assert out.splitlines()[0].split() == ["time", "det", "motor"]
    assert "Left out, as there is no room: text." in out
    monkeypatch.setenv("COLUMNS", "80")
    assert run_at_lab("table", "-b", "lab")[1].splitlines()[0].split() == [
        *("time", "text", "det", "motor")
    ]


def test_a_name_longer_than_the_terminal_is_cut(lab, run_at_lab, monkeypatch):
    with lab() as db:
        save(db, "u1", lambda n: {"x" * 200: n, "y" * 200: n})
    monkeypatch.setenv("COLUMNS", "80")
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    assert max(map(len, lines)) <= 80
    assert re.search(r"time  x+…$", lines[0])
    assert lines[2].split()[2] == "0"


def test_arrays_are_told_by_what_they_are(lab, run_at_lab):
    with lab() as db:
        row = {"wave": np.arange(500.0), "image": np.zeros((48, 64), "u2"), "few": [1, 2]}
        save(db, "u1", lambda n: row | {"none": None, "odd": "\x1b[2J"})
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    assert re.split("  +", lines[2])[2:] == [
        *("500 float64", "48 x 64 uint16", "[1 2]", "None", r"\x1b[2J")
    ]


def test_times_of_several_days_have_their_date(lab, run_at_lab):
    with lab("timezone: Asia/Tokyo\n") as db:
        save(db, "u1", lambda n: {"det": n}, step=40_000)
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    assert lines[2].split()[1:3] == ["2023-11-15", "07:13:20"]
    assert lines[-1] == "The times are in JST."


def test_of_a_long_table_the_ends_are_shown(lab, run_at_lab):
    with lab() as db:
        save(db, "u1", lambda n: {"det": n}, events=1000)
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    assert [line.split()[0] for line in lines[2:23]] == [
        *map(str, range(1, 11)),
        "...",
        *map(str, range(991, 1001)),
    ]
    assert lines[-1] == "These are the first and last 10 of 1,000 rows."


def test_a_stream_without_events_says_so(lab, run_at_lab):
    with lab() as db:
        save(db, "u1", lambda n: {"det": n}, events=0)
    assert run_at_lab("table", "-b", "lab")[1] == "The stream 'primary' has no events.\n"
