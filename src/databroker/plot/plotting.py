"""What is drawn of runs: the fields that hints name, or those that were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ..display.summary import one_line, plan, sample
from ..errors import InvalidQuery, NoSuchField, NoSuchStream
from ..runs.stream.fields import no_such_field
from ..runs.stream.many import Wanted
from .choose import Choice, Fields, choose, data_key, streams_to_show
from .downsample import span
from .panels import Axis, Curve, Found, Lines, Nothing, Panel, Plot, overlaid
from .rows import SPECIAL, Rows
from .scans import events, numbers_seen
from .seeing import field_seen

if TYPE_CHECKING:
    from ..runs.run import Run
    from ..runs.stream.stream import Stream

RUNS = 50
"""So many runs at most are drawn at once."""

_SCALARS, _ARRAYS = 4, 2
"""So many fields of each kind are drawn unless they are asked for."""


@dataclass(frozen=True)
class Request:
    """What is to be drawn of each run; None where its hints say it."""

    x: str | Sequence[str] | None = None
    y: Fields = None
    norm: str | None = None
    stream: str | None = None
    frames: int = 5

    def __post_init__(self) -> None:
        if type(self.frames) is not int or self.frames < 1:
            raise InvalidQuery(f"frames={self.frames!r}: how many, as an integer, 1 or more.")
        if len(self.axes) > 2:
            raise InvalidQuery(f"x={self.x!r}: one name, or two of a map, across and upwards.")

    @property
    def axes(self) -> tuple[str, ...]:
        """What was asked for as axes: what goes upwards first, as what moved slowly does."""
        names = () if self.x is None else (self.x,) if isinstance(self.x, str) else tuple(self.x)
        return names[::-1]

    @property
    def is_of_numbers(self) -> bool:
        """Whether only numbers can be meant."""
        return bool(self.axes) or self.norm is not None


def plot_of(runs: Iterable[Run], request: Request) -> Plot:
    """Return what is drawn of some runs: lines over each other, everything else by itself.

    Raises
    ------
    NoSuchStream, NoSuchField
        None of the runs has what was asked for.
    InvalidQuery
        What was asked for as an axis holds no numbers.
    """
    first = list(islice(runs, RUNS + 1))
    drawn = first[:RUNS]
    notes = [f"Only the first {RUNS} runs are drawn."] if len(first) > RUNS else []
    views = list(_views(drawn, request))
    _in_one_unit([view.rows for view in views])
    panels: list[Panel] = []
    for view in views:
        panels += view.panels(request, notes)
    panels = overlaid(panels) or [Panel("", Nothing(_why_nothing(drawn, request)))]
    if len(drawn) == 1:
        panels = [replace(panel, title="") for panel in panels]
    else:
        panels = _without_nothing(panels, notes)
    return Plot(title_of(drawn), tuple(panels), tuple(dict.fromkeys(notes)))


def _without_nothing(panels: list[Panel], notes: list[str]) -> list[Panel]:
    """Return the panels in which there is something to be seen, if there are any; note others."""
    seen = [panel for panel in panels if not isinstance(panel.contents, Nothing)] or panels[:1]
    for panel in panels:
        if isinstance(panel.contents, Nothing) and panel is not seen[0]:
            notes.append(f"{panel.title}, {panel.contents.why}")
    return seen


def _why_nothing(runs: Sequence[Run], request: Request) -> str:
    if request.y is not None and runs:
        return "What was asked for is no field of events."
    names = sorted({name for run in runs for name in run.stream_names})
    if names:
        return f"There is nothing but {', '.join(one_line(name, 40) for name in names)}."
    return "There are no streams." if runs else "There are no runs."


def title_of(runs: Sequence[Run]) -> str:
    """Return what is true of all of the runs."""
    starts = [run.start for run in runs]
    shared = [{text(start) for start in starts} for text in (plan, sample)]
    parts = [texts.pop() for texts in shared if len(texts) == 1]
    if len(runs) != 1:
        return " · ".join(filter(None, [f"{len(runs)} runs", *parts]))
    (run,) = runs
    scan, *uid = label_of(run).split(" · ")
    status = run.status
    return " · ".join(filter(None, [scan, *parts, *uid, "" if status == "success" else status]))


def label_of(run: Run) -> str:
    """Return what a legend calls a run."""
    scan_id, uid = run.start.get("scan_id"), one_line(run.uid)[:8]
    return uid if scan_id is None else f"scan {one_line(scan_id, 12)} · {uid}"


@dataclass(frozen=True)
class _View:
    """A stream of a run, and the fields of it that were asked for."""

    run: Run
    rows: Rows
    wanted: list[str] | None

    def panels(self, request: Request, notes: list[str]) -> Iterator[Panel]:
        """Yield what is drawn, and add to the notes what is not."""
        start, rows, name = self.run.start, self.rows, label_of(self.run)
        if not len(rows):
            yet = "" if self.run.stop else " yet"
            yield Panel("", Nothing(f"{one_line(rows.stream.name, 40)}: no events{yet}."), name)
            return
        choice = choose(start, rows.stream, self.wanted)
        for axis in () if request.axes else choice.axes:
            if span(rows.axis(axis).values) is None:
                notes.append(f"{name}: {one_line(axis, 40)} was scanned, but has no numbers.")
        for field in self._fields(choice, request, notes):
            found = self._found(start, field, choice, request)
            contents = found.contents or Nothing(f"{field}: {found.said or found.missing[0]}")
            if not isinstance(contents, Nothing):
                notes += (f"{name}, {one_line(field, 40)}: {why}" for why in found.missing)
            if isinstance(contents, Lines) and len(contents.curves) == 1:
                curves = tuple(Curve(each.x, each.y, name) for each in contents.curves)
                contents = replace(contents, curves=curves)
            yield Panel(field, contents, name)

    def _fields(self, choice: Choice, request: Request, notes: list[str]) -> list[str]:
        if self.wanted is not None:
            return self.wanted
        scalars = [name for name in choice.scalars if name not in (*request.axes, request.norm)]
        arrays = [] if request.is_of_numbers and scalars else choice.arrays
        shown = [*scalars[:_SCALARS], *arrays[:_ARRAYS]]
        others = [name for name in (*scalars, *arrays, *choice.left_out) if name not in shown]
        if others:
            notes.append(f"Not drawn unless asked for: {one_line(', '.join(others), 200)}")
        return shown

    def _found(self, start: Any, field: str, choice: Choice, request: Request) -> Found:
        _refuse_text(self.rows, field)
        if not request.is_of_numbers:
            return field_seen(start, self.rows, field, choice, request.frames)
        if field in choice.arrays:
            raise InvalidQuery(f"{field!r} holds arrays: they are drawn without x and norm.")
        for name in request.axes:
            self._numbers(name)
        norm = None if request.norm is None else self._numbers(request.norm)
        found = numbers_seen(start, self.rows, field, request.axes or choice.axes, norm)
        zeros = 0 if norm is None else int(np.sum(norm.values == 0))
        if norm is None or not zeros:
            return found
        left_out = f"{zeros} of {len(self.rows)} events are left out, as {norm.name} is 0 there."
        return replace(found, missing=(*found.missing, left_out))

    def _numbers(self, name: str) -> Axis:
        """Return what was asked for as an axis, or to divide by."""
        _refuse_text(self.rows, name)
        numbers = self.rows.axis(name)
        if span(numbers.values) is None:
            raise InvalidQuery(f"{name!r} has no number in any of {events(len(self.rows))}.")
        return numbers


def _views(runs: Sequence[Run], request: Request) -> Iterator[_View]:
    """Yield what is looked at; a run that lacks it is passed over, if there are others."""
    failed: list[NoSuchField | NoSuchStream] = []
    asked = Wanted(request.y)
    for run in runs:
        try:
            for stream, wanted in _streams(run, request, asked):
                yield _View(run, Rows(stream, run.start), wanted)
        except (NoSuchField, NoSuchStream) as error:
            failed.append(error)
    asked.check()
    if failed and len(failed) == len(runs):
        raise failed[0]


def _streams(run: Run, request: Request, asked: Wanted) -> list[tuple[Stream, list[str] | None]]:
    """Return the streams of a run that are drawn, and of each the fields that were asked for."""
    streams, name = run.streams, request.stream
    wanted = asked.of(streams.values() if name is None else [streams[name]])
    if wanted == []:
        return []
    chosen = streams_to_show(streams, name, wanted)
    # Where nothing was asked for, a stream that was watched beside it is none of the scan.
    chosen = chosen[:1] if wanted is None else chosen
    for stream, _ in chosen:
        for other in (*request.axes, *filter(None, [request.norm])):
            if other not in stream and other not in SPECIAL:
                raise no_such_field(other, stream.fields)
    return chosen


def _refuse_text(rows: Rows, name: str) -> None:
    """Refuse what holds text."""
    if name in rows.stream and data_key(rows.stream, name).get("dtype") == "string":
        raise InvalidQuery(f"{name!r} holds text, which no axis can show.")


def _in_one_unit(many: Sequence[Rows]) -> None:
    """Have the time of all in one unit, or lines over each other would not be comparable."""
    longest = max((rows.lasted for rows in many), default=0.0)
    for rows in many:
        rows.longest = longest
