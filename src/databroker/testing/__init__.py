"""For whoever writes or changes a store: its tests, and documents to try it with.

A new store's test module holds one class::

    class TestMyStore(StoreConformance):
        def open_store(self) -> Store:
            return MyStore(...)  # fresh, empty, writable

What it is tried with follows from its `capabilities`. A store that is shared is opened a
second time, and by other processes, as it pickles; `open_read_only` and `raw` let the suite see
more, and `gaps` names what a store cannot do yet, and why.

Needs the packages of the ``test`` extra.
"""

from __future__ import annotations

import pytest

# Without this, a failing check of the suite would not show its values.
pytest.register_assert_rewrite(f"{__name__}.conformance", f"{__name__}.reference")

from . import questions, strategies, values  # noqa: E402
from .conformance import StoreConformance  # noqa: E402
from .difference import assert_identical, difference  # noqa: E402
from .reference import answers, assert_same_answers, expected, read_rows  # noqa: E402

__all__ = [
    "StoreConformance",
    "answers",
    "assert_identical",
    "assert_same_answers",
    "difference",
    "expected",
    "questions",
    "read_rows",
    "strategies",
    "values",
]
