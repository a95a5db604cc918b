"""What commands print for programs: JSON, or CSV.

Times are in seconds since 1970, as in documents. Numbers are exact. JSON has no NaN and no
infinities: they are null there. Text never commands a terminal: JSON and CSV show such characters
by their codes; and never a spreadsheet, as an apostrophe is before what begins like a formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, TypeVar

import click

from .._util.formulas import guarded
from ..display.json_text import as_json, attributes
from .output import say, say_exactly

Form = Literal["json", "csv"]
"""How records are printed."""

Record = Mapping[str, Any]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_AT_ONCE = 1_000
"""So many lines are written together."""


def json_option(command: _Function) -> _Function:
    """Give a command the option --json, which it takes as `form`."""
    option = click.option("--json", "form", flag_value="json", help="Print JSON, for programs.")
    return option(command)


def record_options(command: _Function) -> _Function:
    """Give a command the options --json and --csv, which it takes as `form`."""
    option = click.option("--csv", "form", flag_value="csv", help="Print CSV, for programs.")
    return json_option(option(command))


def say_records(form: Form, columns: Sequence[str], records: Iterable[Record]) -> None:
    """Print records as they come: all with the same columns, of which those not there are empty."""
    rows = ([record.get(name) for name in columns] for record in records)
    lines = _json_lines(columns, rows) if form == "json" else _csv_lines(columns, rows)
    while some := "".join(islice(lines, _AT_ONCE)):
        say_exactly(some)


def say_json(value: Any) -> None:
    """Print a value as JSON over several lines."""
    say_exactly(f"{as_json(value, indent=2)}\n")


def say_json_line(value: Any) -> None:
    """Print a value as JSON in one line."""
    say_exactly(f"{as_json(value)}\n")


def say_report(form: Form | None, report: Any) -> None:
    """Print a report: as a text for people, or all that it has, and whether all went well."""
    if form:
        say_json(report_record(report))
    else:
        say(str(report))


def report_record(report: Any) -> dict[str, Any]:
    """Return what a report has, and whether all went well."""
    return {"ok": bool(report), **attributes(report)}


def as_cell(value: Any) -> str:
    """Return a value as a cell of a CSV table; nothing for None and NaN.

    As in files that are exported, text of which a spreadsheet would make a formula is guarded.

    Examples
    --------
    >>> as_cell(0.1), as_cell(None), as_cell("Ni"), as_cell([1, 2]), as_cell(True), as_cell("=1")
    ('0.1', '', 'Ni', '[1, 2]', 'true', "'=1")
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else float.__repr__(value)
    return as_json(value)


def _json_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    before = "[\n"
    for row in rows:
        yield before + as_json(dict(zip(columns, row, strict=True)))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield csv_line(list(map(guarded, columns)))
    for row in rows:
        yield csv_line(list(map(as_cell, row)))


def csv_line(cells: Sequence[str]) -> str:
    """Return a line of a CSV table."""
    import csv
    import io

    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
