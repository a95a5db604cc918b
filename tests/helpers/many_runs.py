"""Runs for tests of many runs at once: of a few plans, whose columns hold now this and now that."""

import numpy as np
from hypothesis import strategies as st

from databroker.testing import strategies
from databroker.testing.values import up_to

from .run_builder import RunBuilder, number

NUMBER = {"dtype": "number", "shape": [], "source": "sim", "units": "mm"}

CELLS = {
    "floats": st.floats(-2, 2),
    "integers": st.integers(-2, 2),
    "numbers": st.floats(-2, 2) | st.integers(-2, 2),
    "with none": st.floats(-2, 2) | st.none(),
    "integers or none": st.integers(-2, 2) | st.none(),
    "none": st.none(),
    "booleans": st.booleans(),
    "texts": st.sampled_from(("a", "b", "\x00")),
    "texts or none": st.sampled_from(("a", None)),
    "lists": st.lists(st.integers(0, 2), min_size=2, max_size=2),
    "ragged": st.lists(st.integers(0, 2), max_size=2),
    "arrays": st.just(np.arange(3, dtype="<u2")),
    "huge": st.integers(2**70, 2**70 + 2) | st.integers(0, 2),
    "mixed": st.booleans() | st.integers(0, 1) | st.sampled_from(("a", 0.5, None)),
}
PLANS = (("det", "motor"), ("motor", "det"), ("det",), ("det", "img"))


@st.composite
def few_runs(draw):
    """Make runs of a few plans, whose columns hold now this and now that."""
    documents = []
    for count in range(draw(up_to(6))):
        documents += draw(strategies.runs() if draw(up_to(6)) == 0 else small_run(f"run {count}"))
    return documents


@st.composite
def small_run(draw, uid):
    plan = draw(st.sampled_from(PLANS))
    keys = {field: NUMBER | {"note": draw(up_to(5)) == 0} for field in plan}
    if "img" in plan:
        keys["img"] = {**keys["img"], "external": "FILESTORE:"}
    owner = {"uid": f"{uid} d", "run_start": uid, "time": 1.0, "name": "primary", "data_keys": keys}
    if draw(up_to(5)) == 0:
        owner["name"] = "baseline"
    documents = [("start", {"uid": uid, "time": 1.0, "scan_id": draw(up_to(3))})]
    documents.append(("descriptor", owner))
    cells = {field: CELLS[draw(st.sampled_from(tuple(CELLS)))] for field in plan}
    for row in range(draw(up_to(3))):
        data = {field: draw(kind) for field, kind in cells.items() if draw(up_to(9))}
        numbers = {"seq_num": draw(st.sampled_from((row, row, row, 1))), "time": float(row)}
        identity = {"uid": f"{uid} {row}", "descriptor": owner["uid"]}
        stamps = dict.fromkeys(data, 1.0)
        documents.append(("event", {**identity, **numbers, "data": data, "timestamps": stamps}))
    if draw(up_to(5)):
        documents.append(("stop", {"uid": f"{uid} s", "run_start": uid, "time": 9.0}))
    return documents


def small_runs(db):
    """Save ten runs of two plans, with no event to three each."""
    for count in range(10):
        run = RunBuilder(db, f"run {count}", scan_id=count, time=1000.0 + count, T=count / 2)
        keys = {"x": number(), "s": number("string"), "wave": number("array", [3])}
        owner = run.descriptor(keys if count % 3 else {"x": number("integer")})
        for row in range(count % 4):
            wave = {"s": "text", "wave": np.arange(3) + row} if count % 3 else {}
            run.event(owner, x=row if count % 2 else row / 2, **wave)
        run.stop()
    return db
