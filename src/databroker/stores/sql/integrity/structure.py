"""Checking the structure of the file, as SQLite does; what it derives itself can be made anew."""

from __future__ import annotations

import contextlib
from functools import partial

from ..engine.connections import Connections
from ..engine.failures import DatabaseError
from ..engine.statements import checks
from .log import Log


def check_structure(connections: Connections, log: Log, mend: bool) -> None:
    """Let SQLite check its pages and its own indexes, and make these anew."""
    with log.reading("The file"):
        found = checks.messages(connections.get())
        in_index = [name for text in found for name in checks.OF_AN_INDEX.findall(text)]
        left = found
        if mend and found:
            _make_anew(connections, in_index)
            left = checks.messages(connections.get())
        for text in found:
            log.found(
                f"SQLite says of the file: {text}.",
                in_index=checks.OF_AN_INDEX.search(text) is not None,
                mended=text not in left,
            )


def _make_anew(connections: Connections, names: list[str]) -> None:
    """Sort indexes again, and the tables that are indexes of ours; leave what cannot be."""
    derived = checks.DERIVED
    own = [name for name in dict.fromkeys(names) if name not in derived]
    wrong = [name for name in derived if checks.messages(connections.get(), name)]
    jobs = [partial(checks.sort_again, name) for name in own]
    jobs += [partial(checks.copy_in_order, name) for name in wrong]
    for job in jobs:
        with contextlib.suppress(DatabaseError):
            connections.write(job)
