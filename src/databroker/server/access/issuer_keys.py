"""The public keys by which tokens are checked: given, or fetched from where the issuer has them."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, NoReturn

import jwt

from ..._util.signals import not_from_signal
from ...errors import StoreUnavailable

_TIMEOUT = 5.0
"""Seconds that fetching keys may take, and that others wait meanwhile."""

_LARGEST = 2**20
"""Bytes of the keys of an issuer."""

_GOOD_FOR = 300.0
"""Seconds after which keys are fetched again: the issuer may have taken some out."""

_PAUSE = 30.0
"""Seconds between two attempts: whoever sends a token can name a key that nobody knows."""


_FAILS = (OSError, HTTPException, ValueError, RecursionError, jwt.PyJWTError)
"""What becomes of keys that are not there, or none."""


class GivenKeys:
    """The keys of a JSON Web Key Set.

    Parameters
    ----------
    key_set
        The set, as JSON has it.

    Raises
    ------
    jwt.PyJWTError
        It is none.
    """

    may_wait = False

    def __init__(self, key_set: Mapping[str, Any]) -> None:
        self._keys = _keys_of(key_set)

    def named(self, name: str | None) -> list[jwt.PyJWK]:
        """Return the keys with a name; all, if it is None."""
        return _named(self._keys, name)


class FetchedKeys:
    """The keys that an issuer has at an address, which change from time to time.

    Parameters
    ----------
    address
        Where they are, by https.
    """

    may_wait = True

    def __init__(self, address: str) -> None:
        self._address = address
        self._fetching = threading.Lock()
        self._keys: list[jwt.PyJWK] = []
        self._good_until = self._not_before = 0.0
        self._problem = "they are being fetched"

    def named(self, name: str | None) -> list[jwt.PyJWK]:
        """Return the keys with a name; all, if it is None.

        Raises
        ------
        StoreUnavailable
            They cannot be fetched.
        """
        if not self._are_good() or not _named(self._keys, name):
            self._fetch(_TIMEOUT if not self._are_good() else 0)
        if not self._are_good():
            raise StoreUnavailable(f"The issuer's keys cannot be had: {self._problem}")
        return _named(self._keys, name)

    def _are_good(self) -> bool:
        return time.monotonic() < self._good_until

    def _fetch(self, patience: float) -> None:
        """Fetch the keys, unless that was tried just now; if another thread does it, wait."""
        if not self._fetching.acquire(timeout=patience):
            return
        try:
            if time.monotonic() < self._not_before:
                return
            try:
                self._keys = _keys_of(json.loads(_fetched(self._address)))
                self._good_until = time.monotonic() + _GOOD_FOR
            except not_from_signal(*_FAILS) as error:
                self._problem = str(error) or type(error).__name__
            self._not_before = time.monotonic() + _PAUSE
        finally:
            self._fetching.release()


def _keys_of(key_set: Any) -> list[jwt.PyJWK]:
    """Return the keys of a set by which something may be signed."""
    listed = key_set.get("keys") if isinstance(key_set, Mapping) else None
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise jwt.PyJWKSetError("there is no list of keys")
    keys = jwt.PyJWKSet.from_dict(dict(key_set)).keys
    return [key for key in keys if key.public_key_use in ("sig", None)]


def _named(keys: list[jwt.PyJWK], name: str | None) -> list[jwt.PyJWK]:
    return [key for key in keys if name is None or key.key_id == name]


def _fetched(address: str) -> bytes:
    opener = urllib.request.build_opener(_NoRedirects)
    end, found = time.monotonic() + _TIMEOUT, b""
    with opener.open(address, timeout=_TIMEOUT) as response:
        while part := response.read1(2**16):
            found += part
            if len(found) > _LARGEST or time.monotonic() > end:
                raise OSError(f"{address} has sent {len(found)} bytes, and no end of them")
    return found


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nobody to where the keys are said to be instead: that may be anywhere."""

    def redirect_request(self, *_: Any) -> NoReturn:
        raise OSError("it redirects to another address: name that one")
