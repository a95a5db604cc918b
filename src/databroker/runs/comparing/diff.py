"""What is different between two runs, as a value: what changed, by kinds, and what is equal."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..._util.printable import printable
from .changes import Change, changes
from .compared import Compared


@dataclass(frozen=True, repr=False)
class RunDiff:
    """What is different between two runs. It is true, and has a length, if there is anything.

    Obtained by `Header.diff`. Looped over, it gives the changes, sorted by kind.

    Attributes
    ----------
    old, new
        What tells the runs from each other in any case: uid, scan_id and time.
    changes
        What changed: kind, key, old and new value.
    zone
        In which times are shown.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> for n, sample in enumerate(["Ni", "Cu"]):
    ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "sample": sample, "num": 5})
    >>> found = db["run 0"].diff(db["run 1"])
    >>> len(found), found.changes[0]
    (1, Change(kind='metadata', key='sample', old='Ni', new='Cu'))
    """

    old: dict[str, Any]
    new: dict[str, Any]
    changes: tuple[Change, ...]
    zone: datetime.tzinfo = field(compare=False)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def of_kind(self, kind: str) -> tuple[Change, ...]:
        """Return the changes of one kind."""
        return tuple(change for change in self.changes if change.kind == kind)

    def __repr__(self) -> str:
        from .shown import diff_text

        return printable(diff_text(self.old, self.new, self.changes, self.zone))

    def _repr_html_(self) -> str:
        from .shown import diff_html

        return diff_html(self.old, self.new, self.changes, self.zone)


def compare(old: Compared, new: Compared) -> RunDiff:
    """Return what is different between two runs."""
    of_old, of_new = old.kinds(), new.kinds()
    found = (change for kind in of_old for change in changes(kind, of_old[kind], of_new[kind]))
    return RunDiff(old.identity(), new.identity(), tuple(found), new.zone)
