"""What became of the documents of files that were imported."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..._util.printable import printable
from ...display.counting import counted
from ...display.listing import listing
from ...display.summary import size
from .report import CopyReport

_KEPT = 1000
"""So many refusals are kept, lest a broken file fill the memory."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document, or a run, that was not imported.

    Attributes
    ----------
    file
        Where it is.
    place
        The line or document of the file, or the run of a pack; empty for the whole file.
    why
        The reason.
    """

    file: str
    place: str
    why: str

    def __str__(self) -> str:
        where = f"{self.file}, {self.place}" if self.place else self.file
        return f"{where}: {' '.join(self.why.split())}"


@dataclass(repr=False)
class ImportReport:
    """What was imported; true if nothing was refused.

    Attributes
    ----------
    new, continued, known
        The uids of runs that were not there before, that were there in part, and that were there
        already with all that the files have.
    refused
        What was refused, and why: the first thousand.
    refusals
        How much was refused.
    left_out
        How many documents were left out as what they belong to was refused.
    files
        How many files were read.
    rows
        How many events, datums and stream datums these had.
    bytes
        About how many bytes all documents are.
    seconds
        How long it took.

    Examples
    --------
    >>> report = ImportReport(["a"], known=["b"], files=1, rows=20, bytes=4_000, seconds=0.1)
    >>> report
    1 run new, 1 known already: 20 events and datums, 4.0 kB of 1 file in 0.1 s.
    >>> report.refuse(Refusal("b.jsonl", "line 7", "it is no JSON"))
    >>> report
    1 run new, 1 known already: 20 events and datums, 4.0 kB of 1 file in 0.1 s.
    1 refused:
    - b.jsonl, line 7: it is no JSON
    """

    new: list[str] = field(default_factory=list)
    continued: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    refusals: int = 0
    left_out: int = 0
    files: int = 0
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def refuse(self, refusal: Refusal) -> None:
        """Take note of something that is not imported."""
        self.refusals += 1
        if len(self.refused) < _KEPT:
            self.refused.append(refusal)

    def add_copied(self, source: str, copied: CopyReport) -> None:
        """Take note of what became of the runs of a pack."""
        places = {"copied": self.new, "continued": self.continued, "there": self.known}
        for run in copied.runs:
            if run.outcome in places:
                places[run.outcome].append(run.uid)
            else:
                self.refuse(Refusal(source, f"run {run.uid!r}", run.problem or ""))
        self.files += 1
        self.rows += copied.rows
        self.bytes += copied.bytes
        self.seconds += copied.seconds

    def __bool__(self) -> bool:
        return not self.refusals

    def __repr__(self) -> str:
        rows, files = f"{self.rows:,} events and datums", counted(self.files, "file")
        read = f"{rows}, {size(self.bytes)} of {files} in {self.seconds:.1f} s."
        lines = [f"{self._runs()}: {read}"]
        if self.refusals:
            rest = f"; {self.left_out:,} more, of those, left out" if self.left_out else ""
            lines.append(f"{self.refusals:,} refused{rest}:")
            lines += listing(list(map(str, self.refused)), "refused", self.refusals)
        return printable("\n".join(lines))

    def _runs(self) -> str:
        words = {"new": self.new, "continued": self.continued, "known already": self.known}
        found: list[str] = []
        for word, uids in words.items():
            if uids:
                number = f"{len(uids):,}" if found else counted(len(uids), "run")
                found.append(f"{number} {word}")
        return ", ".join(found) or "No runs"
