"""Runs to plot, in memory."""

import numpy as np
import pytest

from databroker import Broker
from helpers.run_builder import RunBuilder, number


@pytest.fixture
def db():
    """An empty broker."""
    with Broker.from_config({"driver": "memory"}) as broker:
        yield broker


@pytest.fixture
def save(db):
    """Save a run of columns, and return its header.

    `scanned` are the motors, the slow one first; `hinted`, what a device hints at; `keys`, more of
    a data key.
    """

    def saved(columns, scanned=(), hinted=(), keys=(), name="primary", ends=True, **metadata):
        number_of_run = len(list(db())) + 1
        hints = {"dimensions": [[[motor], name] for motor in scanned]}
        hints |= {"gridding": "rectilinear"} if "shape" in metadata else {}
        facts = {"scan_id": number_of_run, "hints": hints, "sample": "Ni", **metadata}
        run = RunBuilder(db, f"{number_of_run:08x}-run", **facts)
        described = {field: number() | dict(keys).get(field, {}) for field in columns}
        descriptor = run.descriptor(described, name=name, hinted=hinted)
        values = {field: np.asarray(column).tolist() for field, column in columns.items()}
        count = len(next(iter(values.values()), []))
        if count:
            run.page(descriptor, range(1, count + 1), **values)
        return run.stop() if ends else run.header

    return saved


@pytest.fixture
def snake(save):
    """A grid of 3 by 4 that snakes, and broke off after 10 points; det is 10 y + x."""
    y, x = np.mgrid[:3, :4]
    x[1] = x[1, ::-1]
    y, x = y.ravel()[:10] * 1.0, x.ravel()[:10] * 1.0
    return save(
        {"my": y, "mx": x, "det": 10 * y + x},
        *(("my", "mx"), ("det",)),
        keys={"mx": {"units": "mm"}, "my": {"units": "mm"}, "det": {"units": "counts"}},
        ends=False,
        shape=[3, 4],
        extents=[[0, 2], [0, 3]],
    )
