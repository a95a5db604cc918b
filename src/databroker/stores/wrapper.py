"""A store in front of another one, whose properties it has."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Capabilities, Store


class StoreWrapper(Store):
    """Stands before another store; how it answers, a subclass says.

    Parameters
    ----------
    behind
        The other store.
    """

    def __init__(self, behind: Store) -> None:
        super().__init__()
        self.behind = behind

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What the store behind can do."""
        return self.behind.capabilities

    @property
    def members(self) -> Mapping[str, Store]:  # type: ignore[override]
        """The stores that the one behind asks, if it stands for several."""
        return self.behind.members

    @property
    def left_out(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of those that are away."""
        return self.behind.left_out

    @property
    def stale_after(self) -> float:
        """Seconds after which a run that has fallen silent no longer counts as running."""
        return self.behind.stale_after

    @stale_after.setter
    def stale_after(self, seconds: float) -> None:
        self.behind.stale_after = seconds

    @property
    def group_size(self) -> int:  # type: ignore[override]
        """How many small documents `insert_many` keeps at once."""
        return self.behind.group_size

    def __str__(self) -> str:
        return str(self.behind)
