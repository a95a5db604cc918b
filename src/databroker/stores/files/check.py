"""Checking a file: everything in it is read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..._util.signals import not_from_signal
from ...documents.files.formats import CUT_SHORT, Format
from ...documents.kinds import OWNER
from ..checking import Finding
from ..sql.file_index import FileIndex
from .reading import OpenFile
from .rows import FileRows


def check_files(format: Format, path: str, index: FileIndex) -> tuple[list[Finding], int]:
    """Return what could not be read of a file, and how many documents, or lines, it has."""
    state = index.states([path]).get(path)
    run = None if state is None else state.run
    try:
        file = OpenFile(path)
    except not_from_signal(OSError) as error:
        return [Finding(f"{path}: it cannot be read: {error}", run)], 0
    faults = dict(() if state is None else state.faults)
    with file:
        rows = FileRows(file.stamp)
        rows.read_on(format, file)
    faults.update(rows.faults)
    last = rows.position.last
    if rows.position.read_to < file.stamp.size and max(faults, default=0) <= last:
        faults[last + 1] = CUT_SHORT
    found = [Finding(f"{path}, {format.place} {n}: {text}", run) for n, text in faults.items()]
    if not file.stamp.size:
        found.append(Finding(f"{path}: it is empty", run))
    unread = dict.fromkeys(_unread(path, rows.series, index))
    found += [Finding(f"{path}: {text}", run) for text in unread]
    return found, last


def _unread(path: str, owners: Iterable[tuple[str, str]], index: FileIndex) -> Iterator[str]:
    """Yield why rows of a file are not read."""
    for kind, owner in owners:
        files = index.paths_of(kind, owner)
        if not files:
            what = OWNER[kind].replace("_", " ")
            yield f"it has rows of the {what} {owner!r}, which is nowhere"
        elif path not in files:
            yield f"its rows are not read: those of this run are read from {files[0]}"
