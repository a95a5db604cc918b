"""Which columns of rows are wanted, as data: a store may make of it a projection, or a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .names import SEQ_NUM, TIME, parse

Names = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which columns of rows are wanted, besides seq_num and time, which always are.

    Parameters
    ----------
    data
        The data keys whose values are wanted; None for all.
    timestamps
        The data keys whose timestamps are wanted; None for all.
    others
        Whether everything else is wanted: uids, `filled`, datum_kwargs, ...

    Examples
    --------
    >>> det = Selection(data=frozenset({"det"}))
    >>> "data/det" in det, "timestamps/det" in det, "time" in det, "uid" in det
    (True, False, True, False)
    >>> det.to_json()
    {'data': ['det'], 'timestamps': [], 'others': False}
    >>> Selection.from_json(det.to_json()) == det
    True
    """

    data: Names = frozenset()
    timestamps: Names = frozenset()
    others: bool = False

    def __contains__(self, column: object) -> bool:
        if column in (SEQ_NUM, TIME):
            return True
        outer, key = parse(str(column))
        if outer == "data":
            return self.data is None or key in self.data
        if outer == "timestamps":
            return self.timestamps is None or key in self.timestamps
        return self.others

    @property
    def is_all(self) -> bool:
        """Whether every column is wanted."""
        return self == ALL

    def to_json(self) -> dict[str, Any]:
        """Return the selection as JSON can hold it."""
        return {
            "data": _listed(self.data),
            "timestamps": _listed(self.timestamps),
            "others": self.others,
        }

    @classmethod
    def from_json(cls, json: dict[str, Any]) -> Selection:
        """Return what `to_json` was called on."""
        return cls(_named(json["data"]), _named(json["timestamps"]), json["others"])


ALL = Selection(None, None, True)
"""Every column."""


def _listed(names: Names) -> list[str] | None:
    return None if names is None else sorted(names)


def _named(names: list[str] | None) -> Names:
    return None if names is None else frozenset(names)
