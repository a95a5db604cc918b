"""SIGKILL at any moment of writing: what an insert had returned for is there."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from random import Random

from .outcome import Outcome, judged_file
from .scenes import any_scene
from .workers import new_file, worker, write


def run(count: int, seed: int = 0) -> Outcome:
    """Kill so many writers, each in the middle of something else."""
    random, outcome = Random(seed), Outcome()
    for _ in range(count):
        outcome += _one(random)
    return outcome


def _one(random: Random) -> Outcome:
    offered = any_scene(random)
    after = random.randrange(len(offered))
    with new_file() as path:
        acknowledged: list[int] = []
        try:
            with worker(write, path, offered) as writer, contextlib.suppress(EOFError):
                while len(acknowledged) < after:
                    acknowledged.append(writer.next())
                time.sleep(random.choice([0, 0.0002, 0.001, 0.004]))
                writer.process.kill()
                acknowledged += writer.rest()
        except TimeoutError as error:
            return Outcome(tried=1, stuck=1, note=str(error))
        outcome = Outcome(tried=1)
        outcome += judged_file(path, offered, acknowledged)
        with contextlib.closing(sqlite3.connect(path)) as raw:
            whole = raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        outcome.wrong += not whole
    return outcome
