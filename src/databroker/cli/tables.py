"""The tables that commands print: texts as wide as a terminal shows them, and fitted into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len, set_cell_size

from .._util.printable import printable
from ..display.summary import facts, one_line
from .folding import folded

if TYPE_CHECKING:
    from ..config.names import Survey
    from ..display.summary import RunList
    from ..runs.run import Run

GAP = "  "
"""What stands between two columns."""


_COLOURS = {
    "success": "green",
    "running": "blue",
    "waiting": "magenta",
    "abort": "yellow",
    "fail": "red",
}
_WHOLE = ("scan_id", "uid", "started", "events", "status")
"""Columns of runs of which a part is of no use."""

_LONGEST = 1_000
_NARROWEST = 20


def width_of(texts: Sequence[str]) -> int:
    """Return how many cells the widest of the texts takes."""
    return max(map(cell_len, texts))


def padded(texts: Sequence[str], *, right: bool = False) -> list[str]:
    """Return a column: texts that are all as wide as the widest."""
    width = width_of(texts)
    rest = [" " * (width - cell_len(text)) for text in texts]
    left, last = (rest, texts) if right else (texts, rest)
    return list(map("".join, zip(left, last, strict=True)))


def _line_of(cells: Sequence[str]) -> str:
    """Return the cells of a row as a line."""
    return GAP.join(cells).rstrip()


def _cut(text: str, width: int) -> str:
    """Return a text that ends with '…' where it is too wide."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def configurations_table(surveyed: Mapping[str, Survey], width: int) -> str:
    """Return the names of configurations, with their description or what is wrong with them."""
    names, said, colours = ["name"], ["description"], [""]
    for name, survey in surveyed.items():
        fault = survey.fault and f"broken: {survey.fault}"
        names.append(one_line(name))
        said.append(one_line(fault or survey.description or "", _LONGEST))
        colours.append("red" if fault else "")
    return _with_heading(_folding([padded(names)], said, width, colours))


def columns_table(columns: Mapping[str, Sequence[str]], width: int) -> str:
    """Return columns of text, a row in a line: what is wide is cut, where the terminal is not."""
    return _with_heading(map(_line_of, zip(*_fitted(columns, width).values(), strict=True)))


def runs_table(columns: RunList, width: int) -> str:
    """Return one line a run, as `columns_table` does, with its status in its colour."""
    texts = _fitted(columns, width)
    if "status" in texts:
        words = [text.rstrip() for text in texts["status"]]
        texts["status"] = [_coloured(word, _COLOURS.get(word, "")) for word in words]
    return _with_heading(map(_line_of, zip(*texts.values(), strict=True)))


def _fitted(columns: Mapping[str, Sequence[str]], width: int) -> dict[str, list[str]]:
    """Return columns below their captions, padded, and cut where there is no room."""
    texts = {name: [printable(name, lines=False), *column] for name, column in columns.items()}
    for name, most in _narrowed(texts, width).items():
        right = _are_numbers(columns[name])
        texts[name] = padded([_cut(text, most) for text in texts[name]], right=right)
    return texts


def _are_numbers(texts: Iterable[str]) -> bool:
    return all(text.strip("+-").replace(".", "", 1).isdigit() for text in texts if text)


def facts_table(run: Run, width: int) -> str:
    """Return what there is to say of a run in a line each."""
    reason = run.stop.get("reason")
    known = facts(run.start, run.stop, run.session.zone)
    status = f"{run.status}: {one_line(reason)}" if reason else run.status
    source = one_line(run.session.one_of_several or "")
    rows = {"uid": known.pop("uid"), "status": status, **known, "source": source}
    names = padded([name for name in rows if rows[name]])
    colours = [_COLOURS.get(run.status, "") if name.strip() == "status" else "" for name in names]
    lines = _folding([names], list(filter(None, rows.values())), width, colours)
    margin = len(names[0])
    return "\n".join(click.style(line[:margin], bold=True) + line[margin:] for line in lines)


def streams_table(run: Run, width: int) -> str:
    """Return the streams of a run, how many events they have, and their fields."""
    names, events, fields = ["stream"], ["events"], ["fields"]
    for name, stream in run.streams.items():
        names.append(one_line(name))
        events.append(f"{stream.num_events:,}")
        fields.append(one_line(", ".join(stream.fields), _LONGEST))
    return _with_heading(_folding([padded(names), padded(events, right=True)], fields, width))


def findings_table(rows: Iterable[tuple[str, str, str, str, str]], width: int) -> str:
    """Return what was found, each with its mark and its colour, and below it how it is mended."""
    marks, abouts, texts, colours = [], [], [], []
    for mark, colour, about, found, mend in rows:
        marks += [mark, *([""] if mend else [])]
        abouts += [one_line(about, 40), *([""] if mend else [])]
        texts += [one_line(found, _LONGEST), *([f"→ {one_line(mend, _LONGEST)}"] if mend else [])]
        colours += ["" if mark == "ok" else colour] * (2 if mend else 1)
    return "\n".join(_folding([padded(marks), padded(abouts)], texts, width, colours))


def folded_table(heading: str, rows: Iterable[tuple[str, str]], width: int) -> str:
    """Return names and what is said of them, indented below a heading; long texts go on below."""
    names, texts = zip(*rows, strict=True)
    indented = [GAP + name for name in padded(names)]
    return _with_heading([heading, *_folding([indented], texts, width)])


def _with_heading(lines: Iterable[str]) -> str:
    heading, *rows = lines
    return "\n".join([click.style(heading, bold=True), *rows])


def _folding(
    columns: Sequence[Sequence[str]], last: Sequence[str], width: int, colours: Sequence[str] = ()
) -> Iterator[str]:
    """Yield rows as lines: a text of the last column, in its colour, goes on below itself."""
    starts = ["".join(cell + GAP for cell in cells) for cells in zip(*columns, strict=True)]
    margin = width_of(starts)
    for start, text, colour in zip_longest(starts, last, colours, fillvalue=""):
        for line in folded(printable(text, lines=False), max(width - margin, _NARROWEST)):
            yield (start + _coloured(line, colour)).rstrip()
            start = " " * margin


def _narrowed(columns: Mapping[str, Sequence[str]], width: int) -> dict[str, int]:
    """Return how wide each column is when the widest have given way until all have room."""
    widths = {name: width_of(texts) for name, texts in columns.items()}
    room = width - len(GAP) * (len(columns) - 1)

    def yields(name: str) -> tuple[bool, int]:
        return not name.startswith(_WHOLE) and widths[name] > 1, widths[name]

    while sum(widths.values()) > room and max(widths.values()) > 1:
        widths[max(widths, key=yields)] -= 1
    return widths


def _coloured(text: str, colour: str) -> str:
    return click.style(text, fg=colour) if colour else text
