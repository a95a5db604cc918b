"""The whole check of a file, one part after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from ....documents.kinds import ROWS
from ....errors import StoreDamaged
from ...checking import CheckProgress, CheckReport
from ..engine.connections import Connections
from ..engine.failures import FAILURES
from ..engine.statements import checks, rows
from ..single import open_document
from .base import Check, every_row
from .index import IndexCheck
from .rows import RowCheck


def check_database(
    connections: Connections, progress: CheckProgress | None, mend_index: bool
) -> CheckReport:
    """Read everything in a file once, and compare its indexes with it.

    Each look is short, so that nobody waits for it; what differs is looked at again, at one
    moment, as it may have been written meanwhile.
    """
    check = Check(connections, progress, mend_index)
    # SQLite's own indexes come first: the others are found by them.
    _check_structure(check)
    _check_documents(check)
    RowCheck(check).carry_out()
    IndexCheck(check).carry_out()
    return check.report()


def _check_structure(check: Check) -> None:
    """Let SQLite check its pages and its own indexes, and make these anew."""
    with check.reading("The file"):
        found = checks.messages(check.connect())
        in_index = [name for text in found for name in checks.OF_AN_INDEX.findall(text)]
        left = found
        if check.mend and found:
            _make_anew(check, in_index)
            left = checks.messages(check.connect())
        for text in found:
            check.found(
                f"SQLite says of the file: {text}.",
                in_index=checks.OF_AN_INDEX.search(text) is not None,
                mended=text not in left,
            )


def _make_anew(check: Check, names: Sequence[str]) -> None:
    """Sort indexes again, and the tables that are indexes of ours; leave what cannot be."""
    derived = checks.DERIVED
    own = [name for name in dict.fromkeys(names) if name not in derived]
    wrong = [name for name in derived if checks.messages(check.connect(), name)]
    jobs = [partial(checks.sort_again, name) for name in own]
    jobs += [partial(checks.copy_in_order, name) for name in wrong]
    for job in jobs:
        with contextlib.suppress(*FAILURES):
            check.write(job)


def _check_documents(check: Check) -> None:
    """Check the table of documents, and set right which run rows belong to."""
    with check.reading("The table of documents"):
        for key, *row in every_row(check.connect, "documents", "kind, uid, run, body"):
            check.looked_at("documents")
            if not row:
                check.found(f"Document number {key} cannot be read.")
                continue
            kind, uid, run, _ = row
            try:
                open_document(tuple(row))
            except StoreDamaged as error:
                check.found(f"Run {run!r}: {error}", run)
                continue
            if kind in ROWS:
                _check_series(check, kind, uid, run)


def _check_series(check: Check, kind: str, uid: Any, run: Any) -> None:
    name = f"Run {run!r}, {kind.replace('_', ' ')} {uid!r}"
    series = rows.series_of(check.connect(), ROWS[kind], uid)
    if series is None:
        check.found(f"{name}: which rows belong to it is not known any more.", run)
    elif series[-1] != run:
        check.found_in_index(
            f"{name}: its rows are said to belong to another run.",
            run,
            lambda connection: rows.set_run(connection, ROWS[kind], uid, run),
        )
