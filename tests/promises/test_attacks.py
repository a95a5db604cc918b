"""A few of each attack on a store; `benchmarks/promises/run.py` tries them at any length."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FEW = {
    "kills": 4,
    "interrupts": 80,
    "forks": 3,
    "full_disk": 2,
    "flips": 8,
    "shared": 1,
    "servers": 2,
    "full_server": 1,
    "outages": 60,
}

ON_A_SERVER = {"shared"}


@pytest.mark.parametrize("name", FEW)
def test_nothing_is_lost_doubled_wrong_or_stuck(name, monkeypatch, request):
    monkeypatch.syspath_prepend(str(ROOT))
    if name in ON_A_SERVER:
        monkeypatch.setenv("DATABROKER_TEST_POSTGRESQL", request.getfixturevalue("postgresql"))
    promises = importlib.import_module("benchmarks.promises.run")
    outcome = promises.attack(name, FEW[name], seed=1)
    assert outcome.faults == 0, outcome
    if not outcome.tried:
        pytest.skip(outcome.note)
    assert outcome.tried >= FEW[name]


def test_each_attack_is_tried(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    assert set(importlib.import_module("benchmarks.promises.run").ATTACKS) == set(FEW)


def waits_for_ever(telling):
    telling.send("so far")
    time.sleep(1e6)


def ends_too_soon(telling):
    raise LookupError("of all things")


@pytest.mark.parametrize(
    ("attacked", "error", "says"),
    [
        (waits_for_ever, TimeoutError, "in waits_for_ever"),
        (ends_too_soon, EOFError, "of all things"),
    ],
)
def test_what_went_wrong_in_a_process_is_told(attacked, error, says, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    workers = importlib.import_module("benchmarks.promises.workers")
    with workers.worker(attacked) as worker, pytest.raises(error, match=says):  # noqa: PT012
        assert worker.next() == "so far"
        monkeypatch.setattr(workers, "PATIENCE", 0)
        worker.next()
