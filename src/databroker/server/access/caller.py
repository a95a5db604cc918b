"""Who sends requests to a server, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from ...errors import InvalidConfiguration, NotPermitted
from ...query.nodes import Everything, Node
from ...stores.narrowed import is_of_start

Scope = Literal["read", "write", "admin"]
"""What a caller may do: read runs, insert documents, see the metrics of the server."""

SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Caller:
    """Who sent a request, and what they may do.

    Attributes
    ----------
    name
        Their name in the log.
    scopes
        What they may do, each for itself: ``write`` does not include ``read``.
    query
        The runs that they may see and write match this query.

    Raises
    ------
    InvalidConfiguration
        They may write, and the query is not about start documents alone: no run that begins could
        match.

    Examples
    --------
    >>> Caller("ann", frozenset({"read"})).check("write")
    Traceback (most recent call last):
    databroker.errors.NotPermitted: 'ann' may not write here, but only read. ...
    """

    name: str
    scopes: frozenset[Scope]
    query: Node = field(default_factory=Everything)

    def __post_init__(self) -> None:
        if "write" in self.scopes and not is_of_start(self.query):
            raise InvalidConfiguration(
                f"Who may write can be kept to runs by their start alone, and {self.query!r} asks "
                "for more of them. Give up 'write', or ask about keys of the start."
            )

    def known_by(self, kind: str) -> Caller:
        """Return the caller with a name that says how they are known, so that no two are confused.

        Examples
        --------
        >>> Caller("ann", frozenset({"read"})).known_by("key").name
        'key:ann'
        """
        return replace(self, name=f"{kind}:{self.name}")

    def check(self, scope: Scope) -> None:
        """Check that they may do something.

        Raises
        ------
        NotPermitted
            They have not got this scope.
        """
        if scope not in self.scopes:
            may = " and ".join(each for each in SCOPES if each in self.scopes)
            raise NotPermitted(
                f"{self.name!r} may not {scope} here, but only {may or 'know that it is there'}. "
                f"Ask whoever runs the server for a key with the scope {scope!r}."
            )


ANYBODY = Caller("anybody", frozenset(SCOPES))
"""The caller of every request to a server without access control."""
