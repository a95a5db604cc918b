"""The whole check of a database, one part after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....documents.kinds import ROWS
from ....errors import StoreDamaged
from ...checking import CheckProgress, CheckReport
from ..engine.connection import Connections
from ..engine.statements import rows
from ..single import open_document
from .base import Check, every_row
from .index import IndexCheck
from .rows import RowCheck


def check_database(
    connections: Connections,
    progress: CheckProgress | None,
    mend_index: bool,
    check_structure: Callable[[Check], None] | None = None,
) -> CheckReport:
    """Read everything in a database once, and compare its indexes with it.

    Each look is short, so that nobody waits for it; what differs is looked at again, at one
    moment, as it may have been written meanwhile.
    """
    check = Check(connections, progress, mend_index)
    # The database's own indexes come first: the others are found by them.
    if check_structure is not None:
        check_structure(check)
    _check_documents(check)
    RowCheck(check).carry_out()
    IndexCheck(check).carry_out()
    return check.report()


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
