"""SPEC data files: a file a run, with a scan for each stream."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import types

from ..display.summary import is_number
from ..plot.choose import choose
from ..runs.stream.fields import configuration
from .cells import as_json
from .format import Choice, Losses, Part
from .losses import of_fields
from .naming import began
from .tabular import StreamTable, Tabular, flat

if TYPE_CHECKING:
    from ..runs.run import Run

_POSITIONERS = "baseline"
_UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_IN_A_LINE = 8  # positioners
_INFINITE = "1e999"  # to some readers, "nan" and "inf" are no numbers

MISSING = "the difference between missing numbers and infinite ones"
DECLARED = "what is declared of fields, but for their units"


class SPEC(Tabular):
    """A SPEC file for each run: its streams are scans of the run's scan_id, 'primary' first.

    What was scanned is the first column, what a plot shows the last. The first reading of the
    baseline is what the positioners of each scan are; metadata, configuration and units are
    comments.
    """

    suffix = ".spec"
    about = "a SPEC file for each run, with a scan for each stream: its numbers"

    def parts(self, run: Run, choice: Choice) -> Iterator[Part]:
        """Return the one file of a run."""
        yield Part(partial(self._write, run, choice))

    def _write(self, run: Run, choice: Choice, path: Path) -> Losses:
        found = {DECLARED: None}
        tables = sorted(self.tables(run, choice), key=lambda table: table.name != "primary")
        positioners = _positioners(run)
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:

            def write(lines: Iterable[str]) -> None:
                file.writelines(f"{line}\n" for line in lines)

            write(_head(run, self._date(run), self.timezone, positioners))
            for table in tables:
                scan = _Scan(run, table)
                write(scan.head(self._date(run), positioners))
                write(scan.rows())
                found |= dict.fromkeys(scan.losses)
        return list(found)

    def _date(self, run: Run) -> str:
        return datetime.datetime.fromtimestamp(_began(run), self.zone).ctime()


class _Scan:
    """A stream as a scan."""

    def __init__(self, run: Run, table: StreamTable) -> None:
        self._run, self._table = run, table
        self._reader = table.read()
        kinds = {each.name: each.type for each in self._reader.schema}
        self._names = [name for name in self._order() if _is_number(kinds[name]) or name == "time"]
        others = [name for name in kinds if name not in self._names]
        self.losses = [*table.losses(self._reader), *of_fields("what is no number", others)]

    def head(self, date: str, positioners: Mapping[str, float]) -> Iterator[str]:
        """Yield the lines before the rows."""
        start, stream = self._run.start, self._table.stream
        scan_id = start.get("scan_id")
        number = scan_id if type(scan_id) is int else 1
        yield f"\n#S {number}  {_in_a_line(start.get('plan_name') or 'scan')}"
        yield f"#D {date}"
        yield from _comments({"stream": stream.name, "units": self._table.units})
        for descriptor in stream.descriptors:
            devices = {name: each.get("data") for name, each in configuration(descriptor).items()}
            yield from _comments(devices, "configuration.")
        yield from _numbered("#P", " ", map(_text, positioners.values()))
        yield f"#N {len(self._names)}"
        labels = ("Epoch" if name == "time" else _label(name) for name in self._names)
        yield f"#L {'  '.join(labels)}"

    def rows(self) -> Iterator[str]:
        """Yield a line for each event."""
        zero = _began(self._run) * 10**9
        for batch in self._reader:
            columns = [self._column(batch.column(name), zero) for name in self._names]
            yield from map(" ".join, zip(*columns, strict=True))

    def _column(self, column: pa.Array, zero: int) -> Iterator[str]:
        values: list[Any] = column.to_pylist()
        if types.is_timestamp(column.type):
            values = column.cast(pa.int64()).to_pylist()
            values = [None if each is None else (each - zero) / 1e9 for each in values]
        if any(value is None or value != value for value in values) and MISSING not in self.losses:
            self.losses.append(MISSING)
        return map(_text, values)

    def _order(self) -> list[str]:
        """Return the columns in the order in which SPEC has them."""
        seen = choose(self._run.start, self._table.stream)
        names = self._reader.schema.names
        last = [name for name in seen.scalars[:1] if name in names]
        first = [name for name in seen.axes if name in names and name not in last]
        between = [name for name in names if name not in first and name not in last]
        return [*first, *between, *last]


def _head(run: Run, date: str, timezone: str, positioners: Mapping[str, float]) -> Iterator[str]:
    yield f"#F {_in_a_line(run.uid)}"
    yield f"#E {_began(run)}"
    yield f"#D {date}"
    yield from _comments({"timezone": timezone, "start": run.start, "stop": run.stored_stop()})
    yield from _numbered("#O", "  ", map(_label, positioners))


def _positioners(run: Run) -> dict[str, float]:
    """Return the numbers of the first reading of the baseline."""
    stream = run.streams.get(_POSITIONERS)
    if stream is None:
        return {}
    first = next(stream.pages(convert_times=False)).head(1)
    found = {name: first[name].tolist() for name in stream.fields if name in first}
    return {name: cells[0] for name, cells in found.items() if cells and is_number(cells[0])}


def _began(run: Run) -> int:
    """Return the whole second that times in the file are counted from."""
    return int(began(run) or 0)


def _numbered(mark: str, between: str, texts: Iterable[str]) -> Iterator[str]:
    """Yield lines of some texts each, which have numbers."""
    texts = list(texts)
    for line, first in enumerate(range(0, len(texts), _IN_A_LINE)):
        yield f"{mark}{line} {between.join(texts[first : first + _IN_A_LINE])}"


def _comments(document: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield a comment for each value, as JSON."""
    for key, value in flat(document, before):
        yield f"#C {_in_a_line(key)} = {as_json(value)}"


def _in_a_line(text: object) -> str:
    """Return text without the ends of lines, and what ends a text to programs in C."""
    return " ".join(_UNWANTED.sub(" ", str(text)).split())


def _label(name: str) -> str:
    """Return a name without the spaces at which readers part names."""
    return _in_a_line(name).replace(" ", "_") or "_"


def _text(value: float | None) -> str:
    if value is None or value != value:
        return _INFINITE
    if isinstance(value, bool):
        return str(int(value))
    if value in (float("inf"), float("-inf")):
        return _INFINITE if value > 0 else f"-{_INFINITE}"
    return repr(value)


def _is_number(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in (types.is_integer, types.is_floating, types.is_boolean))
