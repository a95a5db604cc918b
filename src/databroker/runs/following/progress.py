"""How much of a run has been given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from ..._util.printable import shown
from ...errors import InvalidKey

if TYPE_CHECKING:
    from ...stores.contents import Owner


@dataclass
class Progress:
    """How much of what is stored of a run a follower has given.

    Attributes
    ----------
    run
        The uid of the run.
    rows
        Of each descriptor, resource and stream resource that was given, how many of its rows.
    started, ended
        Whether the start and the stop document were given.

    Examples
    --------
    >>> progress = Progress("a", {("event", "d"): 5}, started=True)
    >>> progress.cursor
    {'run': 'a', 'started': True, 'ended': False, 'rows': [['event', 'd', 5]]}
    >>> Progress.at(progress.cursor, "a") == progress
    True
    """

    run: str
    rows: dict[Owner, int] = field(default_factory=dict)
    started: bool = False
    ended: bool = False

    @classmethod
    def at(cls, cursor: Any, run: str) -> Self:
        """Return the progress that a cursor holds; with None, nothing has been given.

        Raises
        ------
        InvalidKey
            It is no cursor, or that of another run.
        """
        if cursor is None:
            return cls(run)
        try:
            rows = {(kind, uid): int(count) for kind, uid, count in cursor["rows"]}
            progress = cls(cursor["run"], rows, bool(cursor["started"]), bool(cursor["ended"]))
            if any(count < 0 for count in rows.values()):
                raise ValueError("of nothing, there are so few")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidKey(
                f"{shown(cursor)} is no cursor: give what the `cursor` of a follower was."
            ) from error
        if progress.run != run:
            raise InvalidKey(f"The cursor is of run {shown(progress.run)}, not of {run!r}.")
        return progress

    @property
    def cursor(self) -> dict[str, Any]:
        """The progress as plain data, which JSON can hold."""
        rows = [[kind, uid, count] for (kind, uid), count in self.rows.items()]
        return {"run": self.run, "started": self.started, "ended": self.ended, "rows": rows}
