"""Who asks a server, and what they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ...errors import NotPermitted

Scope = Literal["read", "write", "admin"]
"""What may be allowed: to read runs, to insert documents, to see how the server does."""

SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Caller:
    """Whoever asks, as the server knows them.

    Attributes
    ----------
    name
        What they are called in the log.
    scopes
        What they may, each by itself: who may write need not be allowed to read.

    Examples
    --------
    >>> Caller("ann", frozenset({"read"})).check("write")
    Traceback (most recent call last):
    databroker.errors.NotPermitted: 'ann' may not write here, but only read. ...
    """

    name: str
    scopes: frozenset[Scope]

    def check(self, scope: Scope) -> None:
        """See that they may.

        Raises
        ------
        NotPermitted
            They may not.
        """
        if scope not in self.scopes:
            may = " and ".join(each for each in SCOPES if each in self.scopes)
            raise NotPermitted(
                f"{self.name!r} may not {scope} here, but only {may or 'know that it is there'}. "
                f"Ask whoever runs the server for a key with the scope {scope!r}."
            )


ANYBODY = Caller("anybody", frozenset(SCOPES))
"""Who asks a server that wants to know nobody: something before it sees to that."""
