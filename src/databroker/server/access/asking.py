"""What comes with a request that may tell who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .caller import Caller


@dataclass(frozen=True)
class Asking:
    """What came with a request.

    Attributes
    ----------
    token
        What it brought as a bearer token; None if nothing.
    address
        The host that the connection comes from; empty if it is not known.
    headers
        Names in lower case and values, in the order in which they came.
    """

    token: str | None = field(repr=False)
    address: str = ""
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)

    def header(self, name: str) -> list[str]:
        """Return the values of a header, whose name is in lower case."""
        return [value for key, value in self.headers if key == name]


class Way(Protocol):
    """A way to know who asks."""

    def caller(self, asking: Asking) -> Caller | None:
        """Return who asks; None if nothing that came says it in this way.

        Raises
        ------
        AccessRefused
            Something that came says it, but does not count any more, or not here.
        """
        ...
