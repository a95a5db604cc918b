"""What a check has found so far, and how far it is."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ....errors import StoreDamaged
from ...checking import CheckProgress, CheckReport, Finding
from ..engine.connection import Connection
from ..engine.failures import DatabaseError, is_damage
from ..engine.statements import checks

Connect = Callable[[], Connection]
Row = tuple[Any, ...]

_PAGE = 200

_MOST = 1_000
"""So many findings are told one by one."""


class Log:
    """Takes down what is found, and says how far a check is of about so many steps."""

    def __init__(self, progress: CheckProgress | None, total: int) -> None:
        self._findings: list[Finding] = []
        self._more: Counter[tuple[bool, bool]] = Counter()
        self._checked: Counter[str] = Counter()
        self._progress = progress
        self._total = total
        self._done = 0

    def found(self, text: str, run: Any = None, **more: bool) -> None:
        """Take down a finding."""
        found = Finding(text, run if isinstance(run, str) else None, **more)
        if len(self._findings) < _MOST:
            self._findings.append(found)
        else:
            self._more[found.in_index, found.mended] += 1

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
        except DatabaseError as error:
            if not is_damage(error):
                raise
            self.found(f"{what} cannot be read to the end: {error}.")
        except StoreDamaged as error:
            self.found(str(error))

    def report(self) -> CheckReport:
        """Return all that was found."""
        if self._progress is not None:
            self._progress(self._total, self._total)
        more = [
            Finding(
                f"{count} more findings{' in the index' if in_index else ''}.",
                None,
                in_index,
                mended,
            )
            for (in_index, mended), count in self._more.items()
        ]
        return CheckReport((*self._findings, *more), dict(self._checked))


def every_row(connect: Connect, table: str, columns: str) -> Iterator[Row]:
    """Yield all rows of a table, each behind its integer key; of damaged ones, the key alone."""
    after = None
    while keys := checks.keys_after(connect(), table, after, _PAGE):
        yield from rows_with(connect, table, columns, keys)
        after = keys[-1]


def rows_with(connect: Connect, table: str, columns: str, keys: Sequence[int]) -> list[Row]:
    """Return the rows between two keys, as `every_row` does; all keys between must be given."""
    try:
        return checks.rows_between(connect(), table, columns, (keys[0], keys[-1]))
    except DatabaseError as error:
        if not is_damage(error):
            raise
        if len(keys) == 1:
            return [(keys[0],)]
        return [row for key in keys for row in rows_with(connect, table, columns, [key])]
