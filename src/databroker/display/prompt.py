"""What IPython prints for an object, by the hook that it has for this.

Python's own prompt prints the `repr`, which stays what it always was; there,
``print(...)`` says more.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from ..documents.kinds import Document
from .runs import list_of_runs
from .summary import one_line
from .text import aligned

__all__ = ["InIPython", "run_line", "runs_text"]


class InIPython:
    """Something that IPython shows by the line of old and, below it, what ``print`` says of it."""

    def _in_a_list(self) -> str | None:
        """Return what stands for it in a list; None for the line of old."""
        return None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        kind = type(self)
        line = f"<{kind.__module__}.{kind.__qualname__} at {id(self):#x}>"
        if len(printer.stack) > 1:
            printer.text(self._in_a_list() or line)
            return
        printer.text(line)
        for said in str(self).splitlines():
            printer.break_()
            printer.text(said)


def runs_text(rows: Sequence[tuple[Document, str]], zone: datetime.tzinfo) -> str:
    """Return a list of runs, each its start document and its status, as a table."""
    columns = ([caption, *texts] for caption, texts in list_of_runs(rows, zone).items())
    return "\n".join(aligned(list(zip(*columns, strict=True))))


def run_line(start: Document, status: str, zone: datetime.tzinfo) -> str:
    """Return a run in one line, as it stands in a list.

    Examples
    --------
    >>> start = {"uid": "bb805845-5757", "time": 0, "plan_name": "scan", "scan_id": 5}
    >>> run_line(start, "fail", datetime.timezone.utc)
    '<Header bb805845: scan_id 5, 1970-01-01 00:00:00 UTC, scan, fail>'
    """
    facts = []
    for caption, (text,) in list_of_runs([(start, status)], zone).items():
        name, _, zones = caption.rstrip(")").partition(" (")
        if name != "uid":
            facts.append(f"scan_id {text}" if name == "scan_id" else f"{text} {zones}".rstrip())
    return f"<Header {one_line(start.get('uid', ''))[:8]}: {', '.join(facts)}>"
