"""What IPython prints for an object, by the hook that it has for this.

Python's own prompt prints the `repr`, which stays what it always was; there,
``print(...)`` says more.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from ..documents.kinds import Document
from .runs import list_of_runs
from .summary import one_line
from .text import aligned

__all__ = ["run_line", "runs_text", "show_in_ipython"]


def show_in_ipython(
    thing: object, printer: Any, in_a_list: Callable[[], str] | None = None
) -> None:
    """Print the line of old and, below it, what ``print`` says; in a list, one line."""
    kind = type(thing)
    line = f"<{kind.__module__}.{kind.__qualname__} at {id(thing):#x}>"
    if len(printer.stack) > 1:
        printer.text(in_a_list() if in_a_list else line)
        return
    printer.text(line)
    for said in str(thing).splitlines():
        printer.break_()
        printer.text(said)


def runs_text(rows: Sequence[tuple[Document, str]], zone: datetime.tzinfo) -> str:
    """Return a list of runs, each its start document and its status, as a table."""
    columns = ([caption, *texts] for caption, texts in list_of_runs(rows, zone).items())
    return "\n".join(aligned(list(zip(*columns, strict=True))))


def run_line(kind: str, start: Document, status: str, zone: datetime.tzinfo) -> str:
    """Return a run in one line, as it stands in a list.

    Examples
    --------
    >>> start = {"uid": "bb805845-5757", "time": 0, "plan_name": "scan", "scan_id": 5}
    >>> run_line("Header", start, "fail", datetime.timezone.utc)
    '<Header bb805845: scan_id 5, 1970-01-01 00:00:00 UTC, scan, fail>'
    """
    facts = []
    for caption, (text,) in list_of_runs([(start, status)], zone).items():
        name, _, zones = caption.rstrip(")").partition(" (")
        if name != "uid":
            facts.append(f"scan_id {text}" if name == "scan_id" else f"{text} {zones}".rstrip())
    return f"<{kind} {one_line(start.get('uid', ''))[:8]}: {', '.join(facts)}>"
