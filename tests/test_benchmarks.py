"""The benchmarks still run. What they measure is not looked at here."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let the benchmarks be imported; what they do in fresh processes is done in this one."""
    monkeypatch.syspath_prepend(str(ROOT))
    if "fresh" not in request.node.name:
        harness = module("harness")
        monkeypatch.setattr(harness, "fresh", lambda function, *given: function(*given))


def module(name: str) -> Any:
    return importlib.import_module(f"benchmarks.{name}")


def test_starting_in_fresh_processes() -> None:
    rows = list(module("starting").rows(repeat=1, warm_up=0))
    assert rows[0].what == "import"


def test_a_function_in_a_fresh_process() -> None:
    found = module("harness").fresh(module("harness").number, 1234.5)
    assert found == "1 234"


def test_small_and_large_tables() -> None:
    tables = module("tables")
    assert tables.small(repeat=1).limit
    warm, checked, cold = tables.large(50, repeat=1)
    assert warm.ratio
    assert checked.ratio
    assert cold.memory is not None


def test_many_runs_at_once() -> None:
    many_runs = module("many_runs")
    with many_runs.in_sqlite() as stored:
        rows = list(many_runs.together("SQLite", stored, 3, 0.2, repeat=1))
    assert all(row.ratio for row in rows)


def test_a_shared_database_beside_a_file(monkeypatch: pytest.MonkeyPatch, postgresql: str) -> None:
    monkeypatch.setenv("DATABROKER_TEST_POSTGRESQL", postgresql)
    shared = module("shared_database")
    rows = [next(shared.inserting(1)), *shared.tables(20, 1)]
    assert all(row.ratio for row in rows)


def test_what_is_served_beside_a_file() -> None:
    serving = module("serving")
    rows = [*serving.reading(20, repeat=1), *serving.images(3, repeat=1)]
    assert all(row.ratio for row in rows)


def test_many_clients_at_once() -> None:
    crowd = module("crowd")
    [row] = crowd.searching(2, processes=1, threads=2)
    assert row.ratio
    assert not row.broken


def test_what_is_followed() -> None:
    following = module("following")
    for place in ("memory", "MessagePack"):
        with following.PLACES[place]() as pair:
            assert all(row.ratio for row in following.rows_of(place, pair, 3))


def test_exports() -> None:
    exporting = module("exporting")
    for format in exporting.ALONE:
        assert exporting.one_run(20, format, repeat=1).ratio
        export, again = exporting.searches(10, format)
        assert export.memory is not None
        assert again.ours


def test_several_sources() -> None:
    assert all(row.ratio for row in module("federation").measured(20, 0.5, repeat=1))


def test_folders_of_files() -> None:
    files = module("files")
    for store in files.STORES:
        rows = list(files.measured(store, 20, 2, repeat=1))
        assert rows[0].ratio


def test_wide_streams() -> None:
    pytest.importorskip("xarray")
    rows = list(module("wide").rows(widths=(12,), repeat=1))
    assert {row.size for row in rows} == {"2 x 12, ended", "2 x 12, running"}


def test_huge_metadata() -> None:
    rows = list(module("huge").rows(keys=100, repeat=1))
    assert len(rows) == 3 * len(module("huge").SEARCHES)


@pytest.mark.parametrize(("name", "count"), [("one_of_many", 30), ("beside_waveform", 5)])
def test_parts(name: str, count: int) -> None:
    rows = list(getattr(module("parts"), name)(count, 4, repeat=1))
    assert {row.what.rpartition(", ")[2] for row in rows} == {"warm", "cold"}


@pytest.mark.parametrize("name", ["single_events", "pages", "slowest", "bytes_an_event"])
def test_saving_events(name: str) -> None:
    assert list(getattr(module("saving"), name)(2000))


def test_saving_at_a_pace() -> None:
    rows = list(module("saving").at_a_pace(2, events=3, pause=0.001))
    assert [row.size for row in rows] == ["2", "6", "2"]


def test_saving_small_runs() -> None:
    assert next(module("saving").many_runs(3)).ratio
    (row,) = module("saving").small_runs(3)
    assert row.ratio


@pytest.mark.filterwarnings("ignore::databroker.errors.SpillWarning")  # told from a thread
def test_documents_that_wait(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABROKER_TEST_POSTGRESQL", postgresql)
    assert all(row.ratio for row in module("spilling").measured(50))


def test_moving_runs(tmp_path: Path) -> None:
    moving = module("moving")
    rows = [*moving.large_events(400, 2, moving.files), *moving.small_runs(3, moving.files)]
    assert all(row.ratio for row in rows if "again" not in row.what)


def test_packing_and_importing() -> None:
    packing = module("packing")
    runs = [packing.wide_run(seed, 3, 2) for seed in range(2)]
    rows = [*packing.packs("runs", runs, repeat=1), *packing.imports("runs", runs)]
    assert [bool(row.ratio) for row in rows] == [True] * 4


def test_a_run_in_progress() -> None:
    assert len(list(module("progress").rows(count=30, repeat=1))) == 2


@pytest.mark.parametrize(
    ("part", "frames", "side", "rows"),
    [
        ("stacks", 20, 16, 4),
        ("each_event", 20, 16, 2),
        ("opening", 20, 256, 6),
        ("streaming", 20, 16, 2),
        ("sequences", 4, 16, 2),
    ],
)
def test_external_data(part: str, frames: int, side: int, rows: int) -> None:
    for name in ("h5py", "tifffile", "dask.array", "xarray"):
        pytest.importorskip(name)
    stack = module("images").Stack(frames, side, gzip=part == "stacks")
    found = list(getattr(module("external"), part)(stack, repeat=1))
    assert len(found) >= rows - 2 * (part == "opening")
    assert {row.size for row in found if row.unit != "ms"} <= {str(stack)}


def test_finding_gives_the_answers_of_plain_tables(tmp_path: Path) -> None:
    rows = list(module("catalog").rows(sizes=(300, 400), keep=str(tmp_path)))
    assert {row.size for row in rows} == {"300", "400"}
    assert any("grew" in row.note for row in rows)


def test_a_catalog_that_was_kept_is_not_built_again(tmp_path: Path) -> None:
    catalog = module("catalog")
    assert catalog.build(tmp_path, 5) is not None
    assert catalog.build(tmp_path, 5) is None


def test_the_report_says_what_was_missed() -> None:
    row = module("harness").Row("table", "5 x 4", 3.0, limit=1.0, target_ratio=2.0)
    page = module("run").report([row])
    assert "| table | 5 x 4 | 3 ms | 1 ms | 3.00 | ≤ 2 x limit | MISS |" in page


def test_the_files_for_the_peer_hold_all_documents(tmp_path: Path) -> None:
    msgpack = pytest.importorskip("msgpack")
    module("peers").write_msgpack(tmp_path, 2, 3)
    files = list(tmp_path.iterdir())
    with files[0].open("rb") as file:
        kinds = [kind for kind, _ in msgpack.Unpacker(file)]
    assert len(files) == 2
    assert kinds == ["start", "descriptor", "event_page", "stop"]
