"""``databroker diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .choosing import RunPairCommand, one_run
from .opening import open_broker
from .outcome import NO
from .output import say, say_styled, width
from .records import Form, record_options, say_json, say_records

if TYPE_CHECKING:
    from ..runs.comparing.changes import Change
    from ..runs.comparing.diff import RunDiff


@click.command(
    "diff",
    cls=RunPairCommand,
    examples=["databroker diff 1 8", "databroker diff", "databroker diff -2 -1 --json"],
)
@record_options
def diff(names: tuple[str, ...], keys: tuple[str, str], form: Form | None) -> int | None:
    """Say what is different in two runs, the old one and the new one.

    Compared are metadata, the configuration of devices, readings of the baseline, the fields of
    the streams, how the runs ended, and versions; not what was measured.

    Ends with the exit code 1 if anything is different but uid, scan_id and time.
    """
    with open_broker(*names) as db:
        old, new = (one_run(db, key) for key in keys)
        found = old.diff(new)
    if form == "json":
        say_json({"old": found.old, "new": found.new, "changes": list(map(_record, found))})
    elif form:
        say_records(form, ("kind", "key", "old", "new"), map(_record, found))
    else:
        _show(found)
    return NO if found else None


def _record(change: Change) -> dict[str, Any]:
    """Return a change without the values that are not there."""
    from ..runs.comparing.changes import ABSENT

    return {key: value for key, value in vars(change).items() if value is not ABSENT}


def _show(found: RunDiff) -> None:
    from ..runs.comparing.shown import by_kind, in_words, runs_lines
    from .tables import folded_table

    say("\n".join([in_words(found.changes), *runs_lines(found.old, found.new, found.zone)]))
    for kind, rows in by_kind(found.changes):
        say_styled(f"\n{folded_table(kind, rows, width())}")
