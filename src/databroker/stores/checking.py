"""What a check of a store found, and the check that any store can have: everything is read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .._util.printable import printable
from ..display.listing import listing
from ..documents.kinds import ROWS
from ..errors import StoreDamaged
from ..query.nodes import Everything
from .rows import RowSource, batches_of

if TYPE_CHECKING:
    from ..query.nodes import Node

CheckProgress = Callable[[int, int], None]
"""Called with how much is checked, and how much there is."""

_SINGULAR = {
    "runs": "run",
    "rows": "row",
    "documents": "document",
    "files": "file",
    "streams": "stream",
    "index entries": "index entry",
}
"""What one is called of what is counted."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was written.

    Attributes
    ----------
    text
        What, in words.
    run
        The uid of the run that is concerned, where that is known.
    in_index
        Whether it is only an index that is wrong, which can be mended.
    mended
        Whether it was.
    """

    text: str
    run: str | None = None
    in_index: bool = False
    mended: bool = False

    def __str__(self) -> str:
        return printable(self.text) + (" (mended)" if self.mended else "")


@dataclass(frozen=True, repr=False)
class CheckReport:
    """What was checked, and what was found; true if nothing is left to be said.

    Attributes
    ----------
    findings
        What is not as it was written, whether or not it was mended.
    checked
        How many of what were looked at.

    Examples
    --------
    >>> CheckReport([], {"runs": 1, "rows": 1500})
    1 run, 1,500 rows checked: all is as it was written.
    >>> report = CheckReport([Finding("Run 'a', row 5: it is missing.", "a")], {"runs": 2})
    >>> report
    2 runs checked. Not as it was written:
    - Run 'a', row 5: it is missing.
    >>> bool(report), report.ok
    (False, False)
    """

    findings: Sequence[Finding] = ()
    checked: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether all is right, be it that it was mended."""
        return all(each.mended for each in self.findings)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{count:,} {_SINGULAR.get(what, what) if count == 1 else what}"
            for what, count in self.checked.items()
            if count
        )
        begin = f"{counts or 'Nothing to be'} checked"
        if not self.findings:
            return f"{begin}: all is as it was written."
        lines = listing(list(map(str, self.findings)), "findings")
        if not self.ok and any(each.in_index and not each.mended for each in self.findings):
            lines.append(
                "What concerns the index alone is mended by 'databroker check --repair', in Python "
                "by db.check(mend_index=True)."
            )
        return "\n".join([f"{begin}. Not as it was written:", *lines])


class Checked(RowSource, Protocol):
    """What can be read as a whole: a store."""

    def count(self, query: Node) -> int:
        """Return how many runs match; see `Store.count`."""
        ...

    def find(self, query: Node) -> Iterator[Any]:
        """Yield the runs that match; see `Store.find`."""
        ...

    def documents(self, uid: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield documents of a run; see `Store.documents`."""
        ...


def check_by_reading(store: Checked, progress: CheckProgress | None) -> CheckReport:
    """Read everything that a store has once, and say what cannot be read."""
    from ..columns import ALL

    found: list[Finding] = []
    checked = Counter(runs=0, documents=0, rows=0)
    total = store.count(Everything())
    for run in store.find(Everything()):
        checked["runs"] += 1
        for kind, doc in store.documents(run.uid):
            checked["documents"] += 1
            try:
                batches = batches_of(store, ROWS[kind], doc["uid"], ALL)
                checked["rows"] += sum(batch.num_rows for batch in batches)
            except StoreDamaged as error:
                found.append(Finding(str(error), run.uid))
        if progress is not None:
            progress(checked["runs"], total)
    return CheckReport(tuple(found), checked)
