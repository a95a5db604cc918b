"""Runs written into files, one after another: each file is whole, and none is overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from .._util.signals import not_from_signal
from .._util.whole_files import whole_file
from ..errors import CopyRefused, DatabrokerError
from ..runs.run import Run, each_run
from .format import Choice, Format, Part
from .naming import TEMPLATE, check_template, file_name
from .registry import format_of
from .report import ExportReport

Progress = Callable[[int, ExportReport], None]
"""Called after each run with how many are done, and what has become of them."""


def export(
    runs: Run | Iterable[Run],
    folder: str | os.PathLike[str],
    format: str | Format = "csv",
    *,
    name: str = TEMPLATE,
    streams: str | Collection[str] | None = None,
    fields: str | Collection[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> ExportReport:
    """Write runs into files of a folder.

    A file gets its name when it is whole. One that is there already is left as it is: so an export
    that was broken off goes on when it is repeated.

    Parameters
    ----------
    runs
        A run, or several, or the results of a search, of which one is held at a time.
    folder
        Where the files go; made if need be.
    format
        The name of a format (see `formats`), or one.
    name
        How files are named, as `databroker.export.naming.file_name` takes it.
    streams
        Which streams; None for all.
    fields
        Which fields, by names or patterns; None for all.
    overwrite
        Write files anew that are there.
    progress
        Called after each run.
    **options
        What is special to the format.

    Returns
    -------
    ExportReport
        What was written, what was left, what the format could not hold, and what failed: a run
        that cannot be exported does not hold up the others.

    Raises
    ------
    NotSupported
        There is no such format, or it has no such option.
    InvalidKey
        The name is no template.
    CopyRefused
        Two runs would have the same file (a FileExistsError).
    OSError
        The folder cannot be written into.

    Examples
    --------
    >>> import databroker, tempfile
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "5ae1f0c2-4d", "time": 1e9, "scan_id": 7})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export(db(), folder, "jsonl")
    ...     os.listdir(folder)
    Written: ...7_5ae1f0c2.jsonl
    ['7_5ae1f0c2.jsonl']
    """
    chosen = format_of(format, **options) if isinstance(format, str) else format
    check_template(name)
    choice = Choice(_several(streams), _several(fields))
    target = Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    report = ExportReport()
    owners: dict[Path, str] = {}
    for number, run in enumerate(each_run(runs), 1):
        is_empty = True
        try:
            for part in chosen.parts(run, choice):
                is_empty = False
                path = target / f"{file_name(name, run, part.names)}{chosen.suffix}"
                _claim(owners, path, run)
                _write(part, path, overwrite, report)
        except CopyRefused:
            raise
        except not_from_signal(Exception) as error:
            if isinstance(error, OSError) and not isinstance(error, DatabrokerError):
                raise  # no other run can be written either
            report.failed.append((run.uid, _said(error)))
        else:
            report.empty += [run.uid] if is_empty else []
        if progress is not None:
            progress(number, report)
    return report


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, DatabrokerError):
        return text
    return f"{type(error).__name__}: {text}. This should not have happened"


def _claim(owners: dict[Path, str], path: Path, run: Run) -> None:
    """Have a file for a run; fail if it is another one's, or of another part of it."""
    if path in owners:
        raise CopyRefused(
            f"Both run {owners[path]!r} and run {run.uid!r} would be in {path}. Have the names of "
            "files tell more of a run, such as {uid}."
        )
    owners[path] = run.uid


def _write(part: Part, path: Path, overwrite: bool, report: ExportReport) -> None:
    if not overwrite and os.path.lexists(path):
        report.kept.append(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, overwrite=overwrite) as begun:
        losses = list(part.write(begun))
    report.written.append(path)
    for loss in losses:
        report.losses[loss] = report.losses.get(loss, 0) + 1


def _several(names: str | Collection[str] | None) -> Collection[str] | None:
    return [names] if isinstance(names, str) else names
