"""The benchmark beside Tiled's own client still runs. What it measures is not looked at here."""

import importlib
from pathlib import Path


def test_tables_and_lists(server, client, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3]))
    tiled = importlib.import_module("benchmarks.tiled")
    rows = [
        *tiled.tables(server, client, 20, repeat=1),
        *tiled.listing(server, client, 3, repeat=1),
    ]
    assert [row.ratio > 0 for row in rows] == [True] * 3
