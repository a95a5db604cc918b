"""What became of each run that was to be copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..._util.printable import printable
from ...display.counting import counted
from ...display.listing import listing
from ...display.summary import size

Outcome = Literal["copied", "continued", "there", "failed"]


@dataclass(frozen=True, slots=True)
class CopiedRun:
    """What became of one run.

    Attributes
    ----------
    uid
        Of the run.
    outcome
        'copied'; 'continued', where a part of it was there; 'there', where all of it was;
        'failed', where it was not copied, or not wholly.
    rows
        How many events, datums and stream datums it has.
    digest
        Of all of its documents, as 64 hexadecimal digits: the same for the same run, whatever
        store it is in. None where the run was not read, or not to be verified.
    problem
        Why it failed.
    """

    uid: str
    outcome: Outcome
    rows: int = 0
    digest: str | None = None
    problem: str | None = None


@dataclass(frozen=True, repr=False)
class CopyReport:
    """What was copied; true if all runs are there now.

    Attributes
    ----------
    runs
        What became of each run, the oldest first.
    rows
        How many events, datums and stream datums were sent.
    bytes
        About how many bytes those, and all other documents, are.
    seconds
        How long it took.
    verified
        Whether what was written was read again and compared.
    files
        The old and the new path of each external file, where those were copied too.

    Examples
    --------
    >>> CopyReport([CopiedRun("a", "copied", 5), CopiedRun("b", "there", 5)], 5, 2_000, 0.2)
    1 run copied, 1 there already: 5 events and datums, 2.0 kB in 0.2 s.
    What was written was read again, and is as at the source.
    >>> report = CopyReport([CopiedRun("a", "failed", problem="its start differs")], verified=False)
    >>> report
    1 run failed: 0 events and datums, 0 B in 0.0 s.
    - 'a': its start differs
    >>> bool(report), report.failed[0].uid
    (False, 'a')
    """

    runs: Sequence[CopiedRun] = ()
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    verified: bool = True
    files: Sequence[tuple[str, str]] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether all runs are there now."""
        return not self.failed

    @property
    def copied(self) -> list[CopiedRun]:
        """The runs that were copied, or continued."""
        return [run for run in self.runs if run.outcome in ("copied", "continued")]

    @property
    def failed(self) -> list[CopiedRun]:
        """The runs that were not copied, or not wholly."""
        return [run for run in self.runs if run.outcome == "failed"]

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        files = f", {len(self.files)} files" if self.files else ""
        lines = [
            f"{self._counts()}: {self.rows:,} events and datums, {size(self.bytes)}{files} "
            f"in {self.seconds:.1f} s."
        ]
        if self.verified and self.copied:
            lines.append("What was written was read again, and is as at the source.")
        lines += listing([f"{run.uid!r}: {run.problem}" for run in self.failed], "failed")
        return printable("\n".join(lines))

    def _counts(self) -> str:
        words = {"copied": "copied", "continued": "continued", "there": "there already"}
        words["failed"] = "failed"
        found: list[str] = []
        for outcome, word in words.items():
            count = sum(run.outcome == outcome for run in self.runs)
            if count:
                number = f"{count:,}" if found else counted(count, "run")
                found.append(f"{number} {word}")
        return ", ".join(found) or "No runs"
