"""Whether runs are whole: as many events as their stops say, none left out, all files there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .._util.printable import shown
from ..display.counting import counted
from ..display.summary import one_line
from ..errors import DatabrokerError
from ..stores.checking import CheckReport, Finding
from .stream.fields import mapping

if TYPE_CHECKING:
    from .files import Progress
    from .run import Run
    from .stream.stream import Stream

_NAMED = 3  # missing files of a run that are named


def verify(
    runs: Iterable[Run], *, files: bool = True, progress: Progress | None = None
) -> CheckReport:
    """Look at runs one after another; see `Results.check`."""
    found: list[Finding] = []
    checked = Counter(runs=0, streams=0, files=0)
    for run in runs:
        try:
            checked["streams"] += len(run.streams)
            found += [Finding(f"{_name(run)}: {text}.", run.uid) for text in _faults(run)]
            if files:
                checked["files"] += _check_files(run, found)
        except DatabrokerError as error:
            found.append(Finding(f"{_name(run)}: {error}", run.uid))
        checked["runs"] += 1
        if progress is not None:
            progress(checked["runs"], run.uid)
    return CheckReport(tuple(found), checked)


def _name(run: Run) -> str:
    return f"Run {shown(run.uid[:8])}"


def _faults(run: Run) -> Iterator[str]:
    counted = mapping(run.stored_stop().get("num_events"))
    for name, stream in run.streams.items():
        yield from _gaps(stream)
        if name in counted and counted[name] != stream.num_events:
            yield (
                f"its stop document counts {one_line(counted[name])} events in "
                f"{one_line(name)!r}, and there are {stream.num_events:,}"
            )
    for name, number in counted.items():
        if number and name not in run.streams:
            yield f"its stop document names the stream {one_line(name)!r}, which is not there"


def _gaps(stream: Stream) -> Iterator[str]:
    """Yield which numbers no event has; a plan that was rewound may have given some twice."""
    extents = stream.extents()
    rows = sum(extent.rows for extent in extents)
    first = min((extent.min_seq for extent in extents), default=0)
    last = max((extent.max_seq for extent in extents), default=-1)
    lost = last - first + 1 - rows
    if lost > 0:
        yield (
            f"of the events {first:,} to {last:,} in {one_line(stream.name)!r}, {lost:,} "
            f"{'is' if lost == 1 else 'are'} missing"
        )


def _check_files(run: Run, found: list[Finding]) -> int:
    """Add what is missing to the findings; return how many files the run has."""
    files = run.files()
    missing = list(dict.fromkeys(file.path for file in files.missing))
    if missing:
        named = ", ".join(missing[:_NAMED])
        more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
        found.append(
            Finding(
                f"{_name(run)}: {counted(len(missing), 'external file')} missing: {named}{more}.",
                run.uid,
            )
        )
    return len({file.path for file in files})
