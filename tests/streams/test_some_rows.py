"""Some of the rows of a stream are those that a table of all has at these places."""

import random

import numpy as np
import pandas as pd
import pytest

from databroker import Broker
from helpers.run_builder import RunBuilder, opened

SOME = [
    slice(0, 3),
    slice(-4, None),
    slice(395, 410),
    slice(None, -595),
    slice(7, 7),
    slice(0, 999),
]
NOTHING = -1
"""What is put where nothing is: None or NaN, by what else the column has."""


@pytest.fixture(params=["memory", "sqlite"])
def stream(request, tmp_path):
    """A stream of two descriptors, whose events came in any order."""
    with opened(request.param, tmp_path) as db:
        run = RunBuilder(db)
        early, late = run.descriptor(["det", "text"]), run.descriptor(["late"], time=1001.0)
        order = random.Random(5).sample(range(1, 401), 400)
        run.page(early, order, det=[n / 2 for n in order], text=[f"t{n}" for n in order])
        run.page(late, range(399, 600), late=list(range(399, 600)))
        yield run.stop().streams["primary"]


@pytest.mark.parametrize("rows", SOME, ids=str)
def test_some_rows_are_those_of_the_whole(stream, rows):
    whole, found = stream.table(), stream.table(rows=rows)
    pd.testing.assert_frame_equal(
        found.astype(object).fillna(NOTHING), whole.iloc[rows].astype(object).fillna(NOTHING)
    )
    records = list(stream.records(rows=rows))
    assert [record["seq_num"] for record in records] == found.index.tolist()
    for record, (_, row) in zip(records, found.iterrows(), strict=True):
        assert {name: row[name] for name in record if name not in ("seq_num", "time")} == {
            name: value for name, value in record.items() if name not in ("seq_num", "time")
        }


def test_records_have_the_fields_asked_for_and_what_stands_beside_events(stream):
    first, *_, last = stream.records(["det", "plan_name"])
    assert first == {"seq_num": 1, "time": 1001.0, "det": 0.5, "plan_name": "scan"}
    assert last == {"seq_num": 599, "time": 1599.0, "plan_name": "scan"}


def test_external_data_of_some_rows(at_demo_home):
    with Broker.named("example") as db:
        stream = db[4].streams["primary"]
        whole, some = stream.table(fill=["img"]), stream.table(fill=["img"], rows=slice(-2, None))
        assert some.index.tolist() == whole.index.tolist()[-2:]
        for found, expected in zip(some["img"], whole["img"][-2:], strict=True):
            np.testing.assert_array_equal(found, expected)
