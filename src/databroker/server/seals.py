"""What a server hands out for clients to bring back, sealed: nobody else can make it, or change it.

Cursors of runs, marks and extents say where a store looks on. What is in them is the store's own
affair, and it trusts them: that of a folder of files names a file. So a client gets them with a
keyed checksum, and what it brings is looked at only if that is right.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from copy import copy
from typing import Any, Self

from ..documents.encode import decode, encode
from ..errors import InvalidRequest

_SIZE = 16


class Seal:
    """Seals values, and opens those that it sealed.

    Parameters
    ----------
    secret
        What only servers know: those with the same secret open each other's.

    Examples
    --------
    >>> seal = Seal("of your own making").of("lab").of("ann")
    >>> seal.open("cursor", seal.close("cursor", [1.5, 7]))
    [1.5, 7]
    >>> seal.open("mark", seal.close("cursor", [1.5, 7]))
    Traceback (most recent call last):
    databroker.errors.InvalidRequest: This is no mark that this server has given you: ...
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.blake2b(secret.encode(), person=b"databroker seal").digest()

    def of(self, name: str) -> Self:
        """Return the seal of one source, or of one caller there; no other one opens its values."""
        own = copy(self)
        own._key = hashlib.blake2b(name.encode(), key=self._key).digest()
        return own

    def close(self, purpose: str, value: Any) -> str:
        """Return a value as text that says nothing to others; it is not secret, though."""
        data = encode(value)
        return base64.urlsafe_b64encode(self._sum(purpose, data) + data).decode()

    def open(self, purpose: str, sealed: Any) -> Any:
        """Return the value that was sealed.

        Raises
        ------
        InvalidRequest
            It was not sealed by this, for this purpose.
        """
        try:
            whole = base64.b64decode(sealed, b"-_", validate=True)
        except (TypeError, ValueError, binascii.Error):
            whole = b""
        data = whole[_SIZE:]
        if not hmac.compare_digest(whole[:_SIZE], self._sum(purpose, data)):
            raise InvalidRequest(
                f"This is no {purpose} that this server has given you: {sealed!r:.40}. Ask again "
                "from the beginning. (Several servers of one source must have one secret.)"
            )
        return decode(data)

    def _sum(self, purpose: str, data: bytes) -> bytes:
        named = purpose.encode() + b"\0" + data
        return hashlib.blake2b(named, key=self._key, digest_size=_SIZE).digest()
