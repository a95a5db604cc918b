"""Comparing the index of metadata and words with the documents that it is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ....errors import StoreDamaged
from ..engine.conditions import KeyRange
from ..engine.connection import Connection, snapshot
from ..engine.schema import DATA_KEYS, RUNS, START, STOP
from ..engine.statements import checks, index
from ..engine.statements import runs as stored
from ..run_key import displacement, key_of, set_displacement
from ..search.index import (
    ENDED,
    EVERY,
    HAS_ENDED,
    WORDS,
    entries_of_data_keys,
    entries_of_start,
    entries_of_stop,
    held,
    new_path,
    path_id,
    table_of,
)
from ..search.index_terms import OBJECT, TEXT, Leaf
from ..single import documents_of_run
from ..starts import open_run
from .base import Check, Connect, every_row, rows_with

_NAMED = 3
"""So many entries are named."""


TABLES = ("numbers", "texts")

Place = int | tuple[int, str, int]
"""The number of a path; document, path and kind, where it has no number."""

Held = tuple[str, Place, Any]
"""An entry: table, place and value, as `checks.entries_after` gives it."""


@dataclass
class Wanted:
    """What the index should have of a run."""

    uid: str | None  # None where it cannot be read
    entries: set[Held]
    unknown: frozenset[int]  # documents (see `schema`) that cannot be read, and their entries
    ended: bool  # whether it has a stop document, be it damaged
    time: float
    problems: list[str]  # what is damaged


@dataclass
class Difference:
    """In what the entries of a run, given by its key, differ from what they should be."""

    run: int
    wanted: Wanted | None  # None if there is no such run
    missing: set[Held]
    extra: set[Held]
    lost: str = ""  # what only the index still knows of, which stays as it is


class IndexCheck:
    """Compares the index with the starts and stops of runs, which are checked by the way."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._connect = check.connect
        self._displaced = 0
        self._damaged = 0

    def carry_out(self) -> None:
        """Check all starts and stops, and all entries."""
        # What this connection remembers of paths may be what the file does not say any more.
        self._connect().paths = {}
        low = -(2**63)
        stretch = _Stretch()
        with self._check.reading("The table of runs"):
            for key, *row in every_row(self._connect, "runs", stored.COLUMNS):
                if len(stretch.sums) >= self._check.limits.compared:
                    self._compare(low, key - 1, stretch)
                    low, stretch = key, _Stretch()
                stretch.add(key, self._wanted(key, row))
        self._compare(low, 2**63 - 1, stretch)
        with self._check.reading("The table of runs"):
            self._check_order()
            self._check_count()

    def _wanted(self, key: int, row: Sequence[Any]) -> Wanted:
        wanted = wanted_entries(self._connect(), key, row)
        for problem in wanted.problems:
            self._check.found(problem, wanted.uid)
        if START in wanted.unknown:
            self._damaged += 1
        else:
            self._displaced = max(self._displaced, key - key_of(wanted.time))
        self._check.looked_at("runs")
        return wanted

    # -- comparing -------------------------------------------------------

    def _compare(self, low: int, high: int, stretch: _Stretch) -> None:
        """Compare a stretch of runs, and look again, at one moment, at those that differ."""
        with self._check.reading("The index of metadata and words"):
            runs = len(stretch.sums)
            count = 0
            for run, entry in stored_entries(self._connect, KeyRange(low, high)):
                stretch.take(run, entry)
                count += 1
            self._check.looked_at("index entries", count, steps=runs)
            for group in stretch.suspects(*self._check.limits.compared_again):
                self._look_again(group)

    def _look_again(self, runs: Sequence[int]) -> None:
        differences = self._differences(runs)
        left = differences
        if self._check.mend and differences:
            self._check.write(partial(_set_right, differences))
            left = self._differences([each.run for each in differences])
        runs_left = {each.run for each in left}
        for each in differences:
            self._tell(each, each.run not in runs_left)

    def _differences(self, runs: Sequence[int]) -> list[Difference]:
        connection = self._connect()
        with snapshot(connection):
            wanted = _wanted_of(connection, runs)
            held: dict[int, set[Held]] = defaultdict(set)
            for run, entry in stored_entries(lambda: connection, runs):
                held[run].add(entry)
            return list(_compared(connection, runs, wanted, held))

    # -- telling ---------------------------------------------------------

    def _tell(self, difference: Difference, mended: bool) -> None:
        wanted, run = difference.wanted, difference.run
        if difference.lost:
            self._check.found(difference.lost, wanted and wanted.uid)
            return
        missing, extra = (
            sorted(_name(self._connect(), entry) for entry in entries)
            for entries in (difference.missing, difference.extra)
        )
        if wanted is None:
            text = (
                f"The index has {len(extra)} entries ({_some(extra)}) of a run that is not there "
                f"(key {run})."
            )
        else:
            parts = [f"lacks {len(missing)} of its entries ({_some(missing)})"] if missing else []
            if extra:
                parts.append(f"has {len(extra)} that are not its own ({_some(extra)})")
            text = f"Run {wanted.uid!r}: the index {' and '.join(parts)}."
        self._check.found(text, wanted and wanted.uid, in_index=True, mended=mended)

    # -- what else is made of runs ---------------------------------------

    def _check_order(self) -> None:
        """Check what is known of how far runs were moved on from their times."""
        try:
            if self._displaced <= displacement(self._connect()):
                return
        except StoreDamaged:
            pass
        self._check.found_in_index(
            "That runs of one time were moved on is not known any more; in searches by time, and "
            "in their order, these may be missed.",
            None,
            lambda connection: set_displacement(connection, self._displaced),
        )

    def _check_count(self) -> None:
        """Check that no run is missing: they are numbered as they arrive, and never deleted."""
        count, newest = stored.count_and_newest(self._connect())
        if not self._damaged and count and newest != count:
            self._check.found(f"{newest} runs were inserted, of which {count} are there.")


class _Stretch:
    """Fingerprints of what some runs should have in the index, less those of what they have."""

    def __init__(self) -> None:
        self.sums: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._partly: set[int] = set()

    def add(self, run: int, wanted: Wanted) -> None:
        self.sums[run] = sum(map(fingerprint, wanted.entries))
        self._sizes[run] = len(wanted.entries)
        if wanted.unknown:
            self._partly.add(run)

    def take(self, run: int, entry: Held) -> None:
        self.sums[run] = self.sums.get(run, 0) - fingerprint(entry)

    def suspects(self, most_runs: int, most_entries: int) -> Iterator[list[int]]:
        """Yield the runs that differ, or are not wholly known, in groups."""
        group: list[int] = []
        size = 0
        for run in sorted(self._partly.union(run for run, left in self.sums.items() if left)):
            group.append(run)
            size += self._sizes.get(run, 1)
            if len(group) >= most_runs or size >= most_entries:
                yield group
                group, size = [], 0
        if group:
            yield group


def _name(connection: Connection, entry: Held) -> str:
    """Say in words what an entry is."""
    document: int
    path: str
    _, place, value = entry
    if isinstance(place, int):
        row = index.path_numbered(connection, place)
        if row is None:
            return f"path number {place}"
        document, kind, path = row[0], row[1], row[2].decode("utf-8", "replace")
    else:
        document, path, kind = place
    raw = value[0] if type(value) is tuple else value
    text = raw.decode("utf-8", "replace") if type(raw) is bytes else repr(raw)
    if document == DATA_KEYS:
        return f"the data key {text!r}"
    if (document, path, kind) == (RUNS, WORDS, TEXT):
        return f"the word {text!r}"
    if document == RUNS:
        return {EVERY: "that it is there", ENDED: "that it has ended"}.get(path, path)
    return f"'{'stop.' if document == STOP else ''}{path}'"


def _some(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    return ", ".join(shown[:_NAMED]) + (", ..." if len(shown) > _NAMED else "")


def _wanted_of(connection: Connection, runs: Sequence[int]) -> dict[int, Wanted]:
    found = {}
    for run in runs:
        for key, *row in rows_with(lambda: connection, "runs", stored.COLUMNS, [run]):
            found[key] = wanted_entries(connection, key, row)
    return found


def _compared(
    connection: Connection,
    runs: Sequence[int],
    wanted: dict[int, Wanted],
    held: dict[int, set[Held]],
) -> Iterator[Difference]:
    for run in runs:
        one = wanted.get(run)
        missing = one.entries - held[run] if one else set()
        extra = held[run] - one.entries if one else held[run]
        if one and one.unknown:
            extra = {each for each in extra if not _is_of(connection, each, one.unknown)}
        if missing or extra:
            yield Difference(run, one, missing, extra, _lost(connection, run, one, extra))


def _lost(connection: Connection, run: int, wanted: Wanted | None, extra: set[Held]) -> str:
    """Say what is lost, if what is too many in the index is all that is left of it.

    A mark alone is not: it may be a mark of another run, with another key.
    """
    path = EVERY if wanted is None else ENDED
    mark = ("numbers", path_id(connection, RUNS, path, OBJECT), 0)
    if mark not in extra or len(extra) < 2 or (wanted and wanted.ended):
        return ""
    if wanted:
        return f"Run {wanted.uid!r}: its stop document is missing."
    return f"A run is missing, which began {run / 1e9:.3f} s after 1970 began."


def _is_of(connection: Connection, entry: Held, documents: frozenset[int]) -> bool:
    """Tell whether an entry may be of one of some documents."""
    row = index.path_numbered(connection, entry[1]) if isinstance(entry[1], int) else entry[1]
    return row is None or row[0] in documents or (row[0] == RUNS and START in documents)


def _set_right(differences: Sequence[Difference], connection: Connection) -> None:
    """Take out the entries that are too many, and put in those that are missing."""
    now = _wanted_of(connection, [each.run for each in differences])
    for each in differences:
        if each.lost:
            continue
        run, wanted = each.run, now.get(each.run)
        if (wanted and wanted.entries) != (each.wanted and each.wanted.entries):
            continue  # it has changed meanwhile, and will be told as not mended
        for table, place, value in each.extra:
            checks.drop_entry(connection, table, (place, value, run))
        for table, place, value in each.missing:
            number = place if isinstance(place, int) else new_path(connection, *place)
            index.add(connection, table, [(number, value, run)])


# -- what is there, and what should be ------------------------------------------


def wanted_entries(connection: Connection, key: int, row: Sequence[Any]) -> Wanted:
    """Return what the index should have of a run, whose row is empty where it cannot be read."""
    nothing = frozenset({START, STOP, DATA_KEYS})
    if not row:
        return Wanted(None, set(), nothing, True, 0.0, [f"The run of key {key} cannot be read."])
    try:
        run = open_run(tuple(row))
    except StoreDamaged as error:
        uid = row[1] if isinstance(row[1], str) else None
        return Wanted(uid, set(), nothing, True, 0.0, [str(error)])
    ended = run.stop is not None or not run.intact
    documents, damaged = documents_of_run(connection, run.uid)
    data_keys = (
        name for kind, doc in documents if kind == "descriptor" for name in doc["data_keys"]
    )
    entries = [*entries_of_start(run.start), entries_of_data_keys(data_keys)]
    unknown: set[int] = {DATA_KEYS} if damaged else set()
    problems = []
    if ended:
        entries.append(HAS_ENDED)
    if not run.intact:
        unknown.add(STOP)
        problems.append(f"Run {run.uid!r}: the stop document is not as it was written.")
    elif run.stop is not None:
        entries.append(entries_of_stop(run.stop))
    held = {_held(connection, of, leaf) for of, its_leaves in entries for leaf in its_leaves}
    return Wanted(run.uid, held, frozenset(unknown), ended, run.time, problems)


def stored_entries(connect: Connect, runs: KeyRange | Sequence[int]) -> Iterator[tuple[int, Held]]:
    """Yield the entries of the index of some runs, each behind its run, in pages."""
    for table in TABLES:
        last, is_end = None, False
        while not is_end:
            rows, is_end = checks.entries_after(connect(), table, runs, last)
            for last in rows:
                path, value, run = last
                yield run, (table, path, value)


def fingerprint(entry: Held) -> int:
    """Return a hash of an entry, to be added to others."""
    return hash((entry, entry[2] == -1))  # -1 and -2 have one hash


def _held(connection: Connection, document: int, leaf: Leaf) -> Held:
    path, kind, value = leaf
    number = path_id(connection, document, path, kind)
    place = (document, path, kind) if number is None else number
    return table_of(kind), place, held(connection, kind, value)
