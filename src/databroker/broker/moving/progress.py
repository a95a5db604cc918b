"""How far a move has come, told while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...documents.kinds import LISTS, OWNER, PAGES
from ...stores.sizes import bytes_of

_PAUSE = 0.1  # seconds between two reports

Report = Callable[["Progress"], Any]
"""Is told a few times a second how far it has come, and once at the end."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come.

    Attributes
    ----------
    runs
        How many runs are done, those that were there already among them.
    of
        How many there are in all; None where that is not known.
    rows
        How many events, datums and stream datums were sent.
    bytes
        About how many bytes those, and all other documents, are.
    seconds
        For how long it goes on.
    left
        For how many seconds it will probably go on; None where nobody knows.

    Examples
    --------
    >>> Progress(runs=2, of=4, rows=3000, bytes=240_000, seconds=1.5, left=1.5).rate
    2000.0
    """

    runs: int = 0
    of: int | None = None
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    left: float | None = None

    @property
    def rate(self) -> float:
        """How many rows were sent in a second."""
        return self.rows / self.seconds if self.seconds else 0.0


class Meter:
    """Counts what is sent, and reports it now and then.

    How much is left is known by the number of runs, or by a function that says which part is done.
    """

    def __init__(
        self,
        report: Report | None = None,
        of: int | None = None,
        part: Callable[[], float] | None = None,
    ) -> None:
        self.runs = self.rows = self.bytes = 0
        self._report, self._of, self._part = report, of, part
        self._sent = 0  # of the runs, those that were not there already
        self._rows_of_run: tuple[int, int] | None = None  # where a large one begins, and ends
        self._begun = time.monotonic()
        self._reported = self._begun

    @property
    def seconds(self) -> float:
        """For how long it goes on."""
        return time.monotonic() - self._begun

    def sent(self, rows: int, size: int) -> None:
        """Count rows, and bytes."""
        self.rows += rows
        self.bytes += size
        self._tell()

    def begin_run(self, rows: int) -> None:
        """Say how many rows the run that is sent now has."""
        self._rows_of_run = self.rows, max(rows, 1)

    def done(self, runs: int = 1, *, sent: bool = True) -> None:
        """Count runs that are done."""
        self.runs += runs
        self._sent += runs if sent else 0
        self._rows_of_run = None
        self._tell()

    def end(self) -> None:
        """Report for the last time."""
        if self._report is not None:
            self._report(self._now())

    def _tell(self) -> None:
        now = time.monotonic()
        if self._report is not None and now - self._reported >= _PAUSE:
            self._reported = now
            self._report(self._now())

    def _now(self) -> Progress:
        return Progress(self.runs, self._of, self.rows, self.bytes, self.seconds, self._left())

    def _left(self) -> float | None:
        if self._part is not None:
            done = self._part()
            return self.seconds * (1 - done) / done if done else None
        part = 0.0
        if self._rows_of_run is not None:
            begin, rows = self._rows_of_run
            part = min((self.rows - begin) / rows, 1.0)
        sent = self._sent + part
        return self.seconds * (self._of - self.runs - part) / sent if self._of and sent else None


def counted(
    documents: Iterable[tuple[str, Mapping[str, Any]]], meter: Meter
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield documents as they come, and count them."""
    for kind, doc in documents:
        yield kind, doc
        meter.sent(_rows_in(kind, doc), bytes_of(doc))
        if kind == "start":
            meter.done()


def _rows_in(kind: str, doc: Mapping[str, Any]) -> int:
    if kind in LISTS:
        return len(doc[LISTS[kind][0]])
    if kind == "bulk_events":
        return sum(map(len, doc.values()))
    return len(doc["datum_ids"]) if kind in PAGES else int(kind in OWNER)
