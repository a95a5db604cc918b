"""Whose events are wanted, and what has them, whichever kind of catalog they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ...columns import Selection


class Owner(NamedTuple):
    """The events of one descriptor: those of a stream, or of a part of the time it took.

    What a token says: JSON can hold all of it.
    """

    uid: str
    path: tuple[str, ...]  # of the entry of the stream
    since: float | None = None
    until: float | None = None

    @property
    def is_alone(self) -> bool:
        """Whether all events of the stream are its own."""
        return self.since is None and self.until is None


class Rows(Protocol):
    """The events of one descriptor, as they are now."""

    def seq_nums(self) -> np.ndarray[Any, Any]:
        """Return the seq_num of each event."""
        ...

    def times(self) -> np.ndarray[Any, Any]:
        """Return the time of each event."""
        ...

    def read(self, selection: Selection, first: int, stop: int) -> pa.RecordBatch | None:
        """Return a range of rows as a batch; None if there are none."""
        ...
