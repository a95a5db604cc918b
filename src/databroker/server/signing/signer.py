"""Signatures of what a server gives clients to bring back, so that nobody can forge or change it.

Cursors of runs, marks and extents say where a store goes on. What is in them is the store's own
affair, and it trusts them: that of a folder of files names a file. So a client gets them signed
(a keyed hash), and what it brings back is decoded only if the signature is right.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from copy import copy
from functools import lru_cache
from typing import Any, Self

from ...documents.encode import decode, encode
from ...errors import InvalidRequest

_SIZE = 16


class Signer:
    """Signs values, and returns those that it signed.

    Parameters
    ----------
    secret
        What only servers know: those with the same secret accept each other's values. Who has such
        a value can try out secrets, so this is made slow. None is a new one.

    Examples
    --------
    >>> signer = Signer("of your own making").of("lab").of("ann")
    >>> signer.unsign("cursor", signer.sign("cursor", [1.5, 7]))
    [1.5, 7]
    >>> signer.unsign("mark", signer.sign("cursor", [1.5, 7]))
    Traceback (most recent call last):
    databroker.errors.InvalidRequest: This is no mark that this server has given you: ...
    """

    def __init__(self, secret: str | None = None) -> None:
        self._key = secrets.token_bytes(64) if secret is None else _stretched(secret)

    def of(self, name: str) -> Self:
        """Return the signer of one source, or of one caller there; no other accepts its values."""
        own = copy(self)
        own._key = hashlib.blake2b(name.encode(), key=self._key).digest()
        return own

    def sign(self, purpose: str, value: Any) -> str:
        """Return a value as signed text, which anybody can read but nobody else can make."""
        data = encode(value)
        return base64.urlsafe_b64encode(self._signature(purpose, data) + data).decode()

    def unsign(self, purpose: str, signed: Any) -> Any:
        """Return the value that was signed.

        Raises
        ------
        InvalidRequest
            It was not signed by this, for this purpose.
        """
        try:
            whole = base64.b64decode(signed, b"-_", validate=True)
        except (TypeError, ValueError, binascii.Error):
            whole = b""
        data = whole[_SIZE:]
        if not hmac.compare_digest(whole[:_SIZE], self._signature(purpose, data)):
            raise InvalidRequest(
                f"This is no {purpose} that this server has given you: {signed!r:.40}. Ask again "
                "from the beginning. (Several servers of one source must have one secret.)"
            )
        return decode(data)

    def _signature(self, purpose: str, data: bytes) -> bytes:
        named = purpose.encode() + b"\0" + data
        return hashlib.blake2b(named, key=self._key, digest_size=_SIZE).digest()


@lru_cache(maxsize=8)
def _stretched(secret: str) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=b"databroker sign", n=2**14, r=8, p=1)
