"""What an index knows of files, and what was found in them beyond that."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..._util.portable_text import original, portable

Doc = dict[str, Any]

_NONE = b"[]"


class FileState(NamedTuple):
    """How a file was when it was read.

    Attributes
    ----------
    path
        Where it is.
    size, mtime_ns, inode
        How it was when it was looked at.
    read_to
        Up to which byte it was understood.
    last
        The number of the last document, or line, before that.
    mark
        The bytes before that, by which one sees whether it only grew.
    run
        The uid of the run that it begins with.
    ended
        Whether that has a stop.
    plain
        Whether nothing is in it but that run.
    faults
        What could not be read: numbers and texts.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int
    read_to: int = 0
    last: int = 0
    mark: bytes = b""
    run: str | None = None
    ended: bool = False
    plain: bool = True
    faults: tuple[tuple[int, str], ...] = ()


@dataclass
class FileNews:
    """What was found in a file, beyond what is known of it.

    Attributes
    ----------
    state
        How it is now.
    documents
        Its documents but for rows, each with its number.
    strays
        Rows whose owner is elsewhere, as (kind, owner), and further runs, as ('start', uid).
    datum_owners
        The resources of datums whose ids do not tell them.
    is_new
        Whether nothing of it was known.
    """

    state: FileState
    documents: list[tuple[int, str, Doc]] = field(default_factory=list)
    strays: set[tuple[str, str]] = field(default_factory=set)
    datum_owners: dict[str, str] = field(default_factory=dict)
    is_new: bool = False


def state_of_row(row: tuple[Any, ...]) -> FileState:
    """Return how a file was when it was read, from its row."""
    path, size, mtime, inode, read_to, last, mark, run, ended, plain, faults = row
    found = () if faults == _NONE else tuple((number, text) for number, text in json.loads(faults))
    name = None if run is None else original(run)
    stamp = os.fsdecode(path), size, mtime, inode
    return FileState(*stamp, read_to, last, mark, name, bool(ended), bool(plain), found)


def row_of_state(state: FileState) -> tuple[Any, ...]:
    """Return the row of a file."""
    run = None if state.run is None else portable(state.run)
    numbers = state.size, state.mtime_ns, state.inode, state.read_to, state.last, state.mark
    faults = json.dumps(state.faults).encode() if state.faults else _NONE
    return os.fsencode(state.path), *numbers, run, state.ended, state.plain, faults
