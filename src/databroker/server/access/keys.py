"""Keys: each is for one person or program, with scopes and perhaps for some runs, until revoked.

A key is a name that anybody may know, by which it is looked up, and a secret of 256 random bits.
Of the secret, its SHA-256 is kept. A slow hash, as passwords need, would protect nothing: nobody
can try so many out. It would cost each request what it costs an attacker.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import AccessRefused
from ...query.wire import from_json, to_json
from .caller import SCOPES, Caller

_MARK = "dbk"
"""The prefix of keys, by which scanners for leaked secrets find them."""


@dataclass(frozen=True)
class Key:
    """A key as it is kept: without its secret.

    Attributes
    ----------
    id
        What stands in the key for all to see.
    caller
        Whom it lets in, and for what.
    sha256
        Of the secret, in hexadecimal digits.
    made, expires
        When it was made, and from when it counts no more, in seconds since the epoch.
    """

    id: str
    caller: Caller
    sha256: str
    made: float
    expires: float | None = None

    def is_of(self, secret: str) -> bool:
        """Tell, in constant time, whether a secret is the one of this key."""
        return hmac.compare_digest(_sha256(secret), self.sha256)

    @property
    def has_expired(self) -> bool:
        """Whether it counts no more."""
        return self.expires is not None and self.expires <= time.time()

    def check(self) -> None:
        """Check that the key has not expired, for whoever has its secret.

        Raises
        ------
        AccessRefused
            It has expired.
        """
        if self.has_expired:
            raise AccessRefused(
                f"The key {self.id!r} of {self.caller.name!r} has expired. Ask whoever runs the "
                "server for a new one."
            )

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "name": self.caller.name,
            "scopes": [each for each in SCOPES if each in self.caller.scopes],
            "query": to_json(self.caller.query),
            "sha256": self.sha256,
            "made": self.made,
            "expires": self.expires,
        }

    @classmethod
    def from_json(cls, id: str, data: Mapping[str, Any]) -> Key:
        """Return the key that `to_json` made this of.

        Raises
        ------
        KeyError, TypeError, ValueError
            It did not.
        """
        scopes = frozenset(data["scopes"])
        if not scopes.issubset(SCOPES):
            raise ValueError(f"no scopes: {sorted(scopes.difference(SCOPES))}")
        caller = Caller(str(data["name"]), scopes, from_json(data["query"]))
        expires = data["expires"]
        return cls(
            id,
            caller,
            str(data["sha256"]),
            float(data["made"]),
            None if expires is None else float(expires),
        )


def new_key(caller: Caller, expires: float | None = None) -> tuple[Key, str]:
    """Return a new key, and the text by which it lets in, which nobody can find out again.

    Examples
    --------
    >>> key, text = new_key(Caller("ann", frozenset({"read"})))
    >>> id, secret = parts_of(text)
    >>> id == key.id, key.is_of(secret), key.is_of("another")
    (True, True, False)
    """
    id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = Key(id, caller, _sha256(secret), time.time(), expires)
    return key, f"{_MARK}_{id}_{secret}"


def parts_of(text: str) -> tuple[str, str] | None:
    """Return the name and the secret of what looks as a key does; None for anything else."""
    mark, _, rest = text.partition("_")
    id, _, secret = rest.partition("_")
    return (id, secret) if mark == _MARK and id and secret else None


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
