"""Documents brought in from files, whatever they are written in."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterable, Iterator
from io import BufferedReader
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .._util.signals import not_from_signal
from ..documents.files.flowing import flow
from ..errors import DatabrokerError, StoreIsReadOnly, StoreUnavailable
from .copy import copy
from .moving.bringing_in import BringingIn
from .moving.import_report import ImportReport, Refusal
from .moving.progress import Meter, Report
from .whatever import CATALOGS, SQLITE

if TYPE_CHECKING:
    from .broker import Broker

_KINDS = (".jsonl", ".json", ".msgpack")
_ENDS = (*_KINDS, *(f"{kind}.gz" for kind in _KINDS))
_STDIN = "-"


def import_files(
    db: Broker,
    paths: Iterable[str | os.PathLike[str]],
    *,
    files: bool | str | os.PathLike[str] = False,
    progress: Report | None = None,
) -> ImportReport:
    r"""Save the documents that are in files, and say what was new, known, and refused.

    Files are JSON lines of ``[kind, document]``, MessagePack of the same, JSON arrays of such pairs
    or of documents whose keys tell what they are, and gzip of each: their first bytes say which. Of
    a folder, all files are taken that are named so, at any depth. Runs of a pack (a folder or zip),
    and of an SQLite file of databroker, are copied as `databroker.copy` does.

    What is there already changes nothing: after an interrupt, import the same again. What cannot be
    read, or is refused, does not hold up the rest; but what belongs to it is left out, so that runs
    that differ are not mixed.

    Parameters
    ----------
    db
        The broker that they are saved into.
    paths
        Files and folders; ``-`` is the standard input.
    files
        A folder to which external files of packs are copied, or True, as `databroker.copy` has it.
    progress
        Is called a few times a second with a `Progress`: runs, rows, bytes, rate, time left.

    Returns
    -------
    ImportReport
        True if nothing was refused. It tells file, line and reason of what was.

    Raises
    ------
    StoreUnavailable, StoreIsReadOnly
        There is nothing at a path, or the store cannot be reached, or written to. What was
        imported before is there.

    Examples
    --------
    >>> import databroker, tempfile
    >>> db = databroker.temp()
    >>> with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
    ...     _ = file.write('["start", {"uid": "a", "time": 1.0}]\n["stop", nonsense\n')
    ...     file.flush()
    ...     report = import_files(db, [file.name])
    >>> report.new, report.refused[0].place
    (['a'], 'line 2')
    """
    found = [os.fspath(path) for path in paths]
    for path in found:
        if path != _STDIN and not os.path.exists(os.path.expanduser(path)):
            raise StoreUnavailable(f"There is nothing at {path}. Nothing was imported.")
    report = ImportReport()
    for is_source, some in groupby(found, _is_source):
        if is_source:
            for path in some:
                _add_source(db, path, files, report, progress)
        else:
            _add_files(db, some, report, progress)
    return report


def _add_source(
    db: Broker,
    path: str,
    files: bool | str | os.PathLike[str],
    report: ImportReport,
    progress: Report | None,
) -> None:
    """Copy the runs of a pack, or of whatever else has whole runs."""
    try:
        report.add_copied(path, copy(path, db, files=files, progress=progress))
    except (StoreIsReadOnly, StoreUnavailable):
        raise
    except not_from_signal(DatabrokerError) as error:
        report.refuse(Refusal(path, "", str(error)))


def _add_files(
    db: Broker, paths: Iterable[str], report: ImportReport, progress: Report | None
) -> None:
    """Save the documents of what are files of documents, or folders of such."""
    listed = [file for path in paths for file in _files_at(path, report)]
    sizes = [0 if file == _STDIN else os.path.getsize(file) for file in listed]
    place = _Place(sum(sizes))
    meter = Meter(progress, part=place.part)
    bringing_in = BringingIn(db.store, meter, report)
    for path, size in zip(listed, sizes, strict=True):
        name = "standard input" if path == _STDIN else path
        try:
            with _opened(path) as file:
                place.file = file
                bringing_in.add(name, flow(file))
        except not_from_signal(OSError) as error:
            if isinstance(error, DatabrokerError):
                raise
            report.refuse(Refusal(name, "", error.strerror or str(error)))
        place.file, place.before = None, place.before + size
        report.files += 1
    bringing_in.end()
    if listed:
        meter.end()
    report.rows += meter.rows
    report.bytes += meter.bytes
    report.seconds += meter.seconds


class _Place:
    """How far the files are read."""

    def __init__(self, size: int) -> None:
        self.file: IO[bytes] | None = None
        self.before = 0
        self._size = size

    def part(self) -> float:
        """Return which part of them is read."""
        here = self.file.tell() if self.file is not None and self.file.seekable() else 0
        return min((self.before + here) / self._size, 1.0) if self._size else 0.0


def _files_at(path: str, report: ImportReport) -> Iterator[str]:
    if path == _STDIN:
        yield path
        return
    path = os.path.expanduser(path)
    if not os.path.isdir(path):
        yield path
        return
    inside = sorted(str(file) for file in Path(path).rglob("*") if file.name.endswith(_ENDS))
    if not inside:
        report.refuse(Refusal(path, "", f"no files of documents are in it ({', '.join(_KINDS)})"))
    yield from inside


def _opened(path: str) -> BufferedReader:
    if path != _STDIN:
        return open(path, "rb")
    # It stays open for whoever else reads it.
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb")


def _is_source(path: str) -> bool:
    """Tell whether there are whole runs to be copied: a pack, or an SQLite file."""
    if path == _STDIN:
        return False
    place = Path(path).expanduser()
    if place.is_dir():
        return any((place / name).is_file() for name in CATALOGS)
    with place.open("rb") as file:
        begin = file.read(len(SQLITE))
    return begin == SQLITE or zipfile.is_zipfile(place)
