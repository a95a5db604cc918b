"""The benchmark beside Tiled's own catalogs still asks. What it measures is not looked at here."""

import importlib
from pathlib import Path


def test_what_is_asked(runs, db, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    benchmark = importlib.import_module("benchmarks.tiled_tree")
    uid = next(iter(db(plan_name="reconfigured"))).uid
    rows = list(benchmark.asked(runs, runs, benchmark.questions(uid, uid, "det"), "", repeat=1))
    assert [row.ratio > 0 for row in rows] == [True] * 5
