"""The whole check of a file, one part after the other."""

from __future__ import annotations

import contextlib

from ...checking import CheckProgress, CheckReport
from ..engine.connections import Connections
from ..engine.failures import DatabaseError
from ..engine.statements import checks
from .documents import check_documents
from .index import IndexCheck
from .log import Log
from .rows import RowCheck
from .structure import check_structure


def check_database(
    connections: Connections, progress: CheckProgress | None, mend_index: bool
) -> CheckReport:
    """Read everything in a file once, and compare its indexes with it.

    Each look is short, so that nobody waits for it; what differs is looked at again, at one
    moment, as it may have been written meanwhile.
    """
    total = 0
    with contextlib.suppress(DatabaseError):
        total = checks.size(connections.get())
    log = Log(progress, total)
    # SQLite's own indexes come first: the others are found by them.
    check_structure(connections, log, mend_index)
    check_documents(connections, log, mend_index)
    RowCheck(connections, log, mend_index).carry_out()
    IndexCheck(connections, log, mend_index).carry_out()
    return log.report()
