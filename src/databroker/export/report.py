"""What became of the runs of an export."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .._util.printable import printable
from ..display.counting import counted
from ..display.listing import listing


@dataclass(repr=False)
class ExportReport:
    """Which files were written; true if nothing failed, and not all runs were empty.

    Attributes
    ----------
    written
        The files (or folders, of formats whose files are folders) that were written.
    kept
        Those that were there already, and were left as they were.
    losses
        What files could not hold, and how many of them.
    failed
        Uids of runs that were not, or not wholly, exported, and why.
    empty
        Uids of runs that have nothing for such files.

    Examples
    --------
    >>> ExportReport([Path("7.csv")], losses={"metadata": 1})
    Written: 7.csv
    Not held by these files: metadata.
    """

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    losses: dict[str, int] = field(default_factory=dict)
    failed: list[tuple[str, str]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not self.failed and bool(self.written or self.kept or not self.empty)

    def __repr__(self) -> str:
        lines = [self._counts()]
        if self.empty:
            lines.append(f"{counted(len(self.empty), 'run')} with nothing for such files.")
        if self.losses:
            lines.append(f"Not held by these files: {'; '.join(self.losses)}.")
        lines += listing([f"run {uid!r}: {why}" for uid, why in self.failed], "failed")
        return printable("\n".join(lines))

    def _counts(self) -> str:
        if len(self.written) == 1 and not self.kept:
            return f"Written: {self.written[0]}"
        kept = f"; {len(self.kept):,} there already, and left as they were" if self.kept else ""
        return f"{counted(len(self.written), 'file')} written{kept}."
