"""The check of what SQLite keeps by itself: pages, and its own indexes."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial

from ..engine.failures import FAILURES
from ..engine.sqlite import structure
from .base import Check


def check_structure(check: Check) -> None:
    """Let SQLite check its pages and its own indexes, and make these anew."""
    with check.reading("The file"):
        found = structure.messages(check.connect())
        in_index = [name for text in found for name in structure.OF_AN_INDEX.findall(text)]
        left = found
        if check.mend and found:
            _make_anew(check, in_index)
            left = structure.messages(check.connect())
        for text in found:
            check.found(
                f"SQLite says of the file: {text}.",
                in_index=structure.OF_AN_INDEX.search(text) is not None,
                mended=text not in left,
            )


def _make_anew(check: Check, names: Sequence[str]) -> None:
    """Sort indexes again, and the tables that are indexes of ours; leave what cannot be."""
    derived = structure.DERIVED
    own = [name for name in dict.fromkeys(names) if name not in derived]
    wrong = [name for name in derived if structure.messages(check.connect(), name)]
    jobs = [partial(structure.sort_again, name) for name in own]
    jobs += [partial(structure.copy_in_order, name) for name in wrong]
    for job in jobs:
        with contextlib.suppress(*FAILURES):
            check.write(job)
