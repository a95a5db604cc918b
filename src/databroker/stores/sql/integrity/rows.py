"""Checking rows: blocks, their segments, and tails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...._util.portable_text import original, portable
from ....documents.kinds import IDENTITY, OWNER
from ....errors import StoreDamaged
from ..blocks import Unpacked, intact_segment, sealed_rows
from ..damage import damaged_rows
from ..engine.connection import Connection, snapshot
from ..engine.statements import checks
from ..engine.statements import rows as stored
from ..layouts import Block, block_at, first_after
from ..runs import claim_datum
from ..series_rows import next_rows
from ..single import stored_document
from ..tail import read_tail, tail_end
from .base import Check, every_row


class RowCheck:
    """Checks the rows of all series, and stores anew where each datum is to be found."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._connect = check.connect
        self._page = check.limits.checked_rows

    def carry_out(self) -> None:
        """Check all rows."""
        for number, *columns in every_row(self._connect, "series", "kind, owner, run"):
            if not columns or columns[0] not in OWNER:
                self._check.found(f"What rows number {number} belong to is not known any more.")
                continue
            kind, owner, run = columns
            with self._check.reading(f"Rows of {original(owner)!r}"):
                self._check_owner(kind, original(owner), run)
                for place in self._damage(number):
                    self._check.found(place, run)
                if kind == "datum":
                    self._check_datums(number, original(owner), run)
        for which in checks.STRAYS:
            with self._check.reading("Which rows belong to what"):
                count, number = checks.strays(self._connect(), which)
                if count:
                    self._check.found(
                        f"{count} rows, or blocks of rows, stand where nothing leads to them "
                        f"(series {number})."
                    )

    def _check_owner(self, kind: str, owner: str, run: Any) -> None:
        if kind != "event":
            return  # other rows may come before what they belong to
        try:
            descriptor = stored_document(self._connect(), OWNER[kind], owner)
        except StoreDamaged:
            return  # that is found where documents are checked
        if descriptor is None:
            self._check.found(f"Run {run!r}: the descriptor {owner!r} is missing.", run)

    def _damage(self, series: int) -> Iterator[str]:
        """Yield what is wrong with the rows of a series."""
        reached = 0
        blocks = True
        while True:
            connection = self._connect()
            with snapshot(connection):  # rows move from the tail into blocks, and blocks merge
                sealed = sealed_rows(connection, series)
                block = block_at(connection, series, reached)
                end = tail_end(connection, series, sealed)
                newest = stored.newest_stop(connection, series)
                if block is None and reached < sealed:
                    stop = first_after(connection, series, reached) or sealed
                    why = "their block is missing, or not as it was written"
                    yield _said(damaged_rows(connection, series, reached, stop, why))
                    reached = stop
                    continue
                if block is None:
                    if blocks and newest > sealed:
                        why = "how many rows are in blocks is not known any more"
                        yield _said(damaged_rows(connection, series, sealed, newest, why))
                    blocks = False
                    if reached >= end:
                        return
                    rows = read_tail(connection, series, reached, reached + self._page).rows
                    stop = reached + len(rows)
                    if not rows:
                        stop = stored.first_in_tail(connection, series, reached + 1) or end
                        why = "missing, or not as written (their checksum does not fit)"
                        yield _said(damaged_rows(connection, series, reached, stop, why))
                    self._check.looked_at("rows", len(rows))
                    reached = stop
                    continue
            wrong = list(self._damaged_segments(series, block))
            if wrong and block_at(self._connect(), series, block.first) != block:
                continue  # it was merged with others meanwhile
            yield from map(_said, wrong)
            self._check.looked_at("rows", block.stop - reached)
            reached = block.stop

    def _damaged_segments(self, series: int, block: Block) -> Iterator[StoreDamaged]:
        for _, chain in block.layout:
            first = block.first
            for segment in chain:
                connection = self._connect()
                try:
                    intact_segment(connection, segment)
                except StoreDamaged as error:
                    yield damaged_rows(connection, series, first, first + segment.rows, str(error))
                first += segment.rows

    def _check_datums(self, series: int, owner: str, run: Any) -> None:
        lost: list[str] = []
        for ids in self._datum_ids(series):
            for at in range(0, len(ids), self._page):
                lost += _misplaced(self._connect(), owner, ids[at : at + self._page])
        if not lost:
            return

        def claim(connection: Connection) -> None:
            for datum_id in lost:
                stored.drop_datum_owner(connection, portable(datum_id))
                claim_datum(connection, datum_id, owner)

        self._check.found_in_index(
            f"Run {run!r}, resource {owner!r}: {len(lost)} datum documents are not found by their "
            f"ids ({lost[0]!r}).",
            run,
            claim,
        )

    def _datum_ids(self, series: int) -> Iterator[list[str]]:
        from ....columns.batches import values_of

        key = IDENTITY["datum"]
        unpacked: Unpacked = {}
        first = 0
        while True:
            try:
                batch = next_rows(
                    self._connect(), (series, "datum"), first, 1 << 32, {key}, unpacked
                )
            except StoreDamaged:
                return  # it is told already
            if batch is None:
                return
            yield values_of(batch, key)
            first += batch.num_rows


def _misplaced(connection: Connection, owner: str, ids: list[str]) -> list[str]:
    """Return the datum documents of a resource that are not looked for there."""
    rows = stored.datum_owners(connection, [portable(each) for each in ids])
    owners = {original(datum_id): found for datum_id, found in rows}
    here = portable(owner).encode()
    by_prefix = {each for each in ids if each.rpartition("/")[0] == owner}
    return [each for each in ids if owners.get(each, here if each in by_prefix else None) != here]


def _said(error: StoreDamaged) -> str:
    return str(error).removesuffix(" Other rows, other fields and other runs can still be read.")
