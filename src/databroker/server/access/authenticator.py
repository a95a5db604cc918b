"""What a request brings to say who sent it, and what recognises the sender by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .caller import Caller


@dataclass(frozen=True)
class Credentials:
    """What a request brings to say who sent it.

    Attributes
    ----------
    token
        The bearer token in its `Authorization` header; None if there is none.
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


class Authenticator(Protocol):
    """Recognises callers by one kind of credentials: a token, a key, the headers of a proxy."""

    @property
    def may_wait(self) -> bool:
        """Whether it may wait for something, such as another server: then a thread asks it."""
        ...

    def authenticate(self, credentials: Credentials) -> Caller | None:
        """Return who sent a request; None if its credentials are of another kind, or unknown.

        Raises
        ------
        AccessRefused
            The credentials are of this kind, but have expired or are not valid here.
        """
        ...
