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


class Rows(Protocol):
    """The events of one descriptor, as they are now."""

    def index(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return seq_num and time of each event."""
        ...

    def read(self, selection: Selection, first: int, stop: int) -> pa.RecordBatch | None:
        """Return a range of rows as a batch; None if there are none."""
        ...
