"""A check under way: what it looks at, what it has found so far, and how far it is."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ....errors import StoreDamaged
from ...checking import CheckProgress, CheckReport, Finding
from ..engine.connection import Connection, Connections, transaction
from ..engine.failures import FAILURES
from ..engine.statements import checks

Connect = Callable[[], Connection]
Row = tuple[Any, ...]


class Check:
    """Takes down what is found, mends what can be, and says how far it is."""

    def __init__(
        self, connections: Connections, progress: CheckProgress | None, mend: bool
    ) -> None:
        self.connections = connections
        self.connect = connections.get
        self.limits = connections.limits
        self.mend = mend
        self._findings: list[Finding] = []
        self._more: Counter[tuple[bool, bool]] = Counter()
        self._checked: Counter[str] = Counter()
        self._progress = progress
        self._total = 0
        with contextlib.suppress(*FAILURES):
            self._total = checks.size(self.connect())
        self._done = 0

    def found(self, text: str, run: Any = None, **more: bool) -> None:
        """Take down a finding."""
        found = Finding(text, run if isinstance(run, str) else None, **more)
        if len(self._findings) < self.limits.findings:
            self._findings.append(found)
        else:
            self._more[found.in_index, found.mended] += 1

    def found_in_index(self, text: str, run: Any, mend: Callable[[Connection], None]) -> None:
        """Take down what is wrong with something that can be derived again, and mend it."""
        if self.mend:
            self.write(mend)
        self.found(text, run, in_index=True, mended=self.mend)

    def write(self, job: Callable[[Connection], None]) -> None:
        """Do something in one transaction."""

        def whole(connection: Connection) -> None:
            with transaction(connection):
                job(connection)

        self.connections.write(whole)

    def looked_at(self, what: str, count: int = 1, steps: int | None = None) -> None:
        """Count what was checked."""
        self._checked[what] += count
        self._done = min(self._done + (count if steps is None else steps), self._total)
        if self._progress is not None:
            self._progress(self._done, self._total)

    @contextlib.contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Take down that something cannot be read to its end."""
        try:
            yield
        except StoreDamaged as error:
            reason = error.__cause__  # of the database, if it could not read a page
            is_ours = reason is None or isinstance(reason, StoreDamaged)
            self.found(str(error) if is_ours else f"{what} cannot be read to the end: {reason}.")

    def report(self) -> CheckReport:
        """Return all that was found."""
        if self._progress is not None:
            self._progress(self._total, self._total)
        more = [
            Finding(f"{n} more findings{' in the index' * in_index}.", None, in_index, mended)
            for (in_index, mended), n in self._more.items()
        ]
        return CheckReport((*self._findings, *more), dict(self._checked))


def every_row(connect: Connect, table: str, columns: str) -> Iterator[Row]:
    """Yield all rows of a table, each behind its integer key; of damaged ones, the key alone."""
    after = None
    page = connect().limits.checked
    while keys := checks.keys_after(connect(), table, after, page):
        yield from rows_with(connect, table, columns, keys)
        after = keys[-1]


def rows_with(connect: Connect, table: str, columns: str, keys: Sequence[int]) -> list[Row]:
    """Return the rows between two keys, as `every_row` does; all keys between must be given."""
    try:
        return checks.rows_between(connect(), table, columns, (keys[0], keys[-1]))
    except StoreDamaged:
        if len(keys) == 1:
            return [(keys[0],)]
        return [row for key in keys for row in rows_with(connect, table, columns, [key])]
