"""Runs are exported and copied."""

import re

import pandas as pd
import pytest

from databroker import Broker


@pytest.mark.parametrize("name", ["runs.parquet", "runs.arrow", "runs.csv", "runs.xlsx"])
def test_export(run, at_demo_home, tmp_path, name):
    path = tmp_path / name
    arguments = ["--table", str(path), "-w", "plan_name=scan", "--since", "2000"]
    arguments += ["--fields", "det, motor", "-m", "plan_name"]
    code, out, _ = run("export", *arguments)
    assert (code, out.splitlines()[0]) == (0, f"Written: {path}")
    read = {".parquet": pd.read_parquet, ".arrow": pd.read_feather, ".csv": pd.read_csv}
    read |= {".xlsx": pd.read_excel}
    found = read[path.suffix](path)
    with Broker.named("example") as db:
        wanted = db(plan_name="scan").table(["det", "motor"], metadata=["plan_name"]).reset_index()
    assert list(found.columns) == list(wanted.columns)
    assert found["det"].tolist() == pytest.approx(wanted["det"].tolist())
    assert set(found["plan_name"]) == {"scan"}
    assert list(tmp_path.iterdir()) == [path]
    before = path.read_bytes()
    code, _, error = run("export", *arguments)
    assert (code, error) == (
        1,
        f"databroker: {path} is there already. With --overwrite, it is replaced.\n",
    )
    assert path.read_bytes() == before
    assert run("export", *arguments, "--overwrite")[0] == 0


def test_export_of_what_the_runs_are(run, at_demo_home, tmp_path):
    path = tmp_path / "runs.csv"
    code, out, _ = run("export", "--since", "2000", "--runs", str(path), "-m", "detectors")
    assert (code, out) == (0, f"Written: {path}\n")
    with Broker.named("example") as db:
        wanted = db().to_frame(timezone="UTC")
    found = pd.read_csv(path)
    assert list(found.columns) == [*wanted.columns, "detectors"]
    assert found["uid"].tolist() == wanted["uid"].tolist()
    times = pd.to_datetime(found["time"], format="ISO8601")
    assert times.tolist() == wanted["time"].tolist()


def test_what_cannot_be_exported(run, tmp_path):
    code, _, error = run("export", "-1", "--table", str(tmp_path / "runs.doc"))
    assert (code, error.count("\n")) == (2, 1)
    assert " .csv, .xlsx, .parquet, .arrow, not 'runs.doc'" in error
    code, _, error = run("export", "1", "--table", str(tmp_path / "none" / "runs.csv"))
    assert code == 1
    assert "none/runs.csv: there is no folder to make it in" in error
    code, _, error = run("export", "1", "--table", str(tmp_path / "a.csv"), "-f", "nonsense")
    assert code == 3
    assert "There is no field 'nonsense'" in error
    code, _, error = run("export", "1", "--format", "jsn")
    assert code == 2
    assert "Did you mean 'json'?" in error
    assert list(tmp_path.iterdir()) == []


def test_export_of_each_run_into_its_own_file(run, tmp_path):
    arguments = ["export", "-3:", "--format", "jsonl", "--folder", str(tmp_path)]
    arguments += ["--name", "{plan_name}/{scan_id:03}"]
    code, out, _ = run(*arguments)
    assert (code, out) == (0, "3 files written.\n")
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jsonl"))
    assert found == ["count/007.jsonl", "rel_scan/006.jsonl", "scan/008.jsonl"]
    assert "3 there already" in run(*arguments)[1]
    assert run("list", "-b", f"{tmp_path}/scan")[1].count("success") == 1


def test_copy_says_what_became_of_the_runs(run, tmp_path):
    target = str(tmp_path / "home.db")
    code, out, err = run("copy", "example", target, "-w", "plan_name=scan")
    assert code == 0
    assert re.match(r"\d+ runs? copied: [\d ]+ events and datums, .*B in .* s\.\nWhat was", out)
    assert err == ""  # which is no terminal
    assert re.search(r"copied, \d+ there already", run("copy", "example", target)[1])
    with Broker.from_config({"driver": "sqlite", "path": target}) as db:
        assert db().count() == 8
        db.insert("start", {"uid": "odd", "time": 1.0, "sample": "Fe"})
    with Broker.from_config({"driver": "sqlite", "path": str(tmp_path / "odd.db")}) as odd:
        odd.insert("start", {"uid": "odd", "time": 1.0, "sample": "Cu"})
    code, out, _ = run("copy", str(tmp_path / "odd.db"), target, "-t", "nowhere", "--no-verify")
    assert code == 0
    assert out.startswith("No runs: 0 events and datums, 0 B in ")
    code, out, _ = run("copy", str(tmp_path / "odd.db"), target)
    assert code == 1
    assert "1 run failed" in out
    assert "- 'odd': start document 'odd' is already stored with other content" in out


def test_progress_is_told_where_errors_go_in_a_terminal(run, tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "rows/s" in run("copy", "example", str(tmp_path / "home.db"))[2]
