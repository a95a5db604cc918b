"""A run in a file: opening it, writing it, and seeing that it is there."""

import contextlib

from databroker.stores.sql import SQLiteStore
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import insert_all, whole_run

RUN = whole_run()[:-1]  # in progress: at a stop the log is moved into the file


def opened(path, **options):
    """A store that is closed when the block ends."""
    return contextlib.closing(SQLiteStore(path, **options))


def written(path):
    """The same path, with a run in it."""
    with opened(path) as store:
        insert_all(store, RUN)
    return path


def assert_holds_run(store):
    """The run is there, and nothing else."""
    assert_identical(answers(store, RUN), expected(RUN))
