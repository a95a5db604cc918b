"""What a question becomes: a condition on the indexes, and whether it says it all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..engine.conditions import ALL, Condition, both, either, unless


class Compiled(NamedTuple):
    """A condition that every run in question fulfils, and whether no other run does."""

    condition: Condition
    exact: bool = True

    def __invert__(self) -> Compiled:
        return Compiled(unless(self.condition)) if self.exact else UNKNOWN

    def at_least(self) -> Compiled:
        """Return the same for a question that fewer runs answer."""
        return Compiled(self.condition, False)


UNKNOWN = Compiled(ALL, False)
"""The indexes know nothing of it."""


def all_of(parts: Iterable[Compiled]) -> Compiled:
    """Return the question whether all of these hold."""
    several = list(parts)
    return Compiled(both(each.condition for each in several), all(each.exact for each in several))


def any_of(parts: Iterable[Compiled]) -> Compiled:
    """Return the question whether any of these holds."""
    several = list(parts)
    return Compiled(either(each.condition for each in several), all(each.exact for each in several))
