"""Documents and runs as plain text, for a terminal or a log, and by IPython's hook for it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .. import times
from ..documents.kinds import Document
from .summary import STREAM, facts, list_of_runs, one_line

_WIDTH = 16
_WIDEST = 32
_DEEPEST = 8
_LONGEST = 240


def document_text(
    label: str, doc: Document, zone: datetime.tzinfo | None = None, width: int = _LONGEST
) -> str:
    """Return a document as a block of lines: a heading, then each key and its value.

    Lines are cut at the width. Times are shown in a zone too, where one is given.

    Examples
    --------
    >>> print(document_text("Run Start", {"uid": "bb80", "versions": {"ophyd": "1.9"}}))
    Run Start
    =========
    uid             : bb80
    versions        :
      ophyd           : 1.9
    """
    return "\n".join([label, "=" * len(label), *_lines(doc, zone, 0, width)])


def header_text(
    start: Document,
    stop: Document | None,
    streams: Iterable[STREAM],
    status: str,
    zone: datetime.tzinfo | None = None,
    now: float | None = None,
    source: str | None = None,
) -> str:
    """Return a run in a few lines: what it was, when, how it ended, what it holds, where it is."""
    known = facts(start, stop, times.resolve_zone(zone), now)
    involved = known["devices"]
    lines: dict[str, Any] = {
        "status": status,
        "reason": stop.get("reason") if stop else None,
        "scan_id": known["scan_id"],
        "plan": known["plan"] + (f" ({involved})" if involved else ""),
        "started": known["started"],
        "took": known["took"],
        "source": source,
        "streams": {
            name: f"{count} event{'' if count == 1 else 's'}: {', '.join(fields)}"
            for name, count, fields in streams
        },
    }
    return document_text(f"Run {known['uid']}", {key: lines[key] for key in lines if lines[key]})


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of a table as lines, with the cells of a column below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _lines(
    doc: Mapping[Any, Any], zone: datetime.tzinfo | None, depth: int, width: int
) -> Iterator[str]:
    margin = "  " * depth
    widest = min(max((len(str(key)) for key in doc), default=0), _WIDEST)
    for key, value in doc.items():
        name = f"{margin}{one_line(key, 60):<{max(widest, _WIDTH)}}:"
        if isinstance(value, Mapping) and value and depth < _DEEPEST:
            yield name
            if key == "data_keys" and all(isinstance(each, Mapping) for each in value.values()):
                yield from _table(value, margin + "  ")
            else:
                yield from _lines(value, zone, depth + 1, width)
        elif key == "time" and zone and isinstance(value, int | float):
            yield f"{name} {value} ({times.format_time(value, zone)})"
        else:
            yield f"{name} {one_line(value, max(width - len(name) - 1, _WIDTH))}".rstrip()


def _table(data_keys: Mapping[Any, Mapping[Any, Any]], margin: str) -> Iterator[str]:
    """Yield data keys as a table: one line each says more than a block each."""
    columns = list(dict.fromkeys(key for each in data_keys.values() for key in each))
    rows = [["", *(one_line(key, 40) for key in columns)]]
    for name, described in data_keys.items():
        cells = (one_line(described[key], 40) if key in described else "" for key in columns)
        rows.append([one_line(name, 40), *cells])
    yield from (margin + line for line in aligned(rows))


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
