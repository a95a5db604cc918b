"""What was packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .._util.printable import printable
from ..display.counting import counted
from ..display.listing import listing
from ..display.summary import size


@dataclass(frozen=True, repr=False)
class PackReport:
    """What is in a new pack; true if no external file was missing.

    Attributes
    ----------
    path
        The folder or zip.
    runs
        How many runs are in it.
    files
        How many external files.
    bytes
        How large it is, before it is compressed.
    seconds
        How long it took.
    missing
        The uid of the run and the path of each external file that was not there.

    Examples
    --------
    >>> PackReport(Path("july.zip"), 2, 1, 2_500_000, 0.5, [("9f3a", "/data/a.h5")])
    2 runs and 1 external file are in july.zip: 2.5 MB in 0.5 s.
    1 external file was not there:
    - /data/a.h5 of run '9f3a'
    """

    path: Path
    runs: int
    files: int
    bytes: int
    seconds: float
    missing: Sequence[tuple[str, str]] = ()

    def __bool__(self) -> bool:
        return not self.missing

    def __repr__(self) -> str:
        runs = counted(self.runs, "run")
        files = counted(self.files, "external file")
        are = "are" if self.runs + self.files > 1 else "is"
        lines = [
            f"{runs} and {files} {are} in {self.path}: {size(self.bytes)} in {self.seconds:.1f} s."
        ]
        if self.missing:
            was = "was" if len(self.missing) == 1 else "were"
            lines.append(f"{counted(len(self.missing), 'external file')} {was} not there:")
            lines += listing([f"{path} of run {run!r}" for run, path in self.missing], "missing")
        return printable("\n".join(lines))
