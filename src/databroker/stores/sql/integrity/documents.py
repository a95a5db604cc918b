"""Checking descriptors, resources, and stops without a start; and that each has its series."""

from __future__ import annotations

from functools import partial
from typing import Any

from ....documents.kinds import OWNER
from ....errors import StoreDamaged
from ..engine.connection import Connection, transaction
from ..engine.connections import Connections
from ..engine.statements import rows
from ..single import open_document
from .log import Log, every_row

_ROWS = {owner: kind for kind, owner in OWNER.items()}


def check_documents(connections: Connections, log: Log, mend: bool) -> None:
    """Check the table of documents, and set right which run rows belong to."""
    with log.reading("The table of documents"):
        for key, *row in every_row(connections.get, "documents", "kind, uid, run, body"):
            log.looked_at("documents")
            if not row:
                log.found(f"Document number {key} cannot be read.")
                continue
            kind, uid, run, _ = row
            try:
                open_document(tuple(row))
            except StoreDamaged as error:
                log.found(f"Run {run!r}: {error}", run)
                continue
            if kind in _ROWS:
                _check_series(connections, log, mend, (kind, uid, run))


def _check_series(connections: Connections, log: Log, mend: bool, row: tuple[Any, ...]) -> None:
    kind, uid, run = row
    name = f"Run {run!r}, {kind.replace('_', ' ')} {uid!r}"
    series = rows.series_of(connections.get(), _ROWS[kind], uid)
    if series is None:
        log.found(f"{name}: which rows belong to it is not known any more.", run)
    elif series[-1] != run:
        if mend:
            connections.write(partial(_set_run, _ROWS[kind], uid, run))
        log.found(
            f"{name}: its rows are said to belong to another run.", run, in_index=True, mended=mend
        )


def _set_run(kind: str, owner: Any, run: Any, connection: Connection) -> None:
    with transaction(connection):
        rows.set_run(connection, kind, owner, run)
