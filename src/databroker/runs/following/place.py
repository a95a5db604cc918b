"""How much of a run has been given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from ..._util.printable import shown
from ...errors import InvalidKey

if TYPE_CHECKING:
    from ...stores.contents import Owner


@dataclass
class Place:
    """A place in the flow of what is stored of a run.

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
    >>> place = Place("a", {("event", "d"): 5}, started=True)
    >>> place.cursor
    {'run': 'a', 'started': True, 'ended': False, 'rows': [['event', 'd', 5]]}
    >>> Place.at(place.cursor, "a") == place
    True
    """

    run: str
    rows: dict[Owner, int] = field(default_factory=dict)
    started: bool = False
    ended: bool = False

    @classmethod
    def at(cls, cursor: Any, run: str) -> Self:
        """Return the place that a cursor means; the beginning if it is None.

        Raises
        ------
        InvalidKey
            It is no cursor, or that of another run.
        """
        if cursor is None:
            return cls(run)
        try:
            rows = {(kind, uid): int(count) for kind, uid, count in cursor["rows"]}
            place = cls(cursor["run"], rows, bool(cursor["started"]), bool(cursor["ended"]))
            if any(count < 0 for count in rows.values()):
                raise ValueError("of nothing, there are so few")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidKey(
                f"{shown(cursor)} is no cursor: give what the `cursor` of a follower was."
            ) from error
        if place.run != run:
            raise InvalidKey(f"The cursor is of run {shown(place.run)}, not of {run!r}.")
        return place

    @property
    def cursor(self) -> dict[str, Any]:
        """The place as JSON can hold it."""
        rows = [[kind, uid, count] for (kind, uid), count in self.rows.items()]
        return {"run": self.run, "started": self.started, "ended": self.ended, "rows": rows}
