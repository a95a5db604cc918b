"""One catalog of a Tiled server, asked over HTTP."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from ...errors import InvalidConfiguration, StoreUnavailable
from .failures import not_understood, refused, unreached

Json = Any
Params = Sequence[tuple[str, str]]

_CONNECTING = 5.0
"""Seconds after which a host that says nothing counts as away."""

_API = "/api/v1"
_NO_ENTRY = 404
_JSON = "application/json"
_ENVIRONMENT = "TILED_API_KEY"


class Server:
    """A catalog of a Tiled server: its address, the key to it, and the open connections.

    The key goes to this server alone: no other address is ever asked, and redirections are not
    followed.

    Parameters
    ----------
    uri
        The address of the server, or of a catalog on it as Tiled's client shows it.
    api_key
        The key; None for the one in the environment, if there is one.
    timeout
        Seconds to wait for an answer.

    Raises
    ------
    InvalidConfiguration
        ``uri`` is no address of a server.
    """

    def __init__(self, uri: str, api_key: str | None, timeout: float) -> None:
        self.base, self.path, key = _parsed(uri)
        self.timeout = timeout
        self._key = api_key or key or os.environ.get(_ENVIRONMENT)
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._pid = os.getpid()
        self._closed = False

    @property
    def uri(self) -> str:
        """The address of the catalog, without a key."""
        return self.url("metadata")

    @property
    def name(self) -> str:
        """What the catalog is called in messages."""
        return f"The Tiled catalog {self.uri}"

    def url(self, route: str, *inside: str) -> str:
        """Return the address of something inside of the catalog, for one of the server's routes."""
        # What is no UTF-8 stays so: it is the name of nothing.
        parts = [quote(part, safe="", errors="surrogatepass") for part in self.path + inside]
        return "/".join(
            [self.base, route, *(parts or [""])]
        )  # the root is known with a slash alone

    def entry(self, *inside: str) -> Json | None:
        """Return what the server says of one entry; None if there is none."""
        answer = self._get("metadata", inside, (), missing=bool(inside))
        if answer is None:
            return None
        entry = self._json(answer)["data"]
        if not isinstance(entry, dict) or "attributes" not in entry:
            raise not_understood(answer, self.name)
        return entry

    def search(self, *inside: str, params: Params = ()) -> Json | None:
        """Return a page of the entries below one; None if there is no such one."""
        answer = self._get("search", inside, params, missing=bool(inside))
        return None if answer is None else self._json(answer)

    def deep_search(self, params: Params) -> Json | None:
        """Return a page of all entries at any depth; None where a server cannot do that."""
        response = self._send(self.url("search-deep"), params)
        return self._json(response) if response.is_success else None

    def data(
        self, route: str, *inside: str, params: Params = (), accept: str = _JSON
    ) -> bytes | None:
        """Return data as bytes; None if there is no such entry."""
        answer = self._get(route, inside, params, missing=True, accept=accept)
        return None if answer is None else answer.content

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._closed = True
            client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()

    def _get(
        self,
        route: str,
        inside: Sequence[str],
        params: Params,
        missing: bool,
        accept: str = _JSON,
    ) -> httpx.Response | None:
        response = self._send(self.url(route, *inside), params, accept)
        if response.status_code == _NO_ENTRY and missing:
            return None
        if response.is_success:
            return response
        raise refused(response, self.name, self._key is not None)

    def _send(self, url: str, params: Params, accept: str = _JSON) -> httpx.Response:
        """Ask once; again if the server has closed a connection that was kept."""
        client = self._open()
        query, headers = httpx.QueryParams(tuple(params)), {"Accept": accept}
        try:
            try:
                return client.get(url, params=query, headers=headers)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                return client.get(url, params=query, headers=headers)
        except httpx.HTTPError as error:
            raise unreached(error, self.name, self.timeout) from error

    def _open(self) -> httpx.Client:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"{self.name} is closed: open the broker again.")
            if self._client is None or self._pid != os.getpid():
                # The connections of a parent process are its own: they are left as they are.
                self._client, self._pid = self._new(), os.getpid()
                weakref.finalize(self, _close_in, self._pid, self._client)
            return self._client

    def _new(self) -> httpx.Client:
        headers = {} if self._key is None else {"Authorization": f"Apikey {self._key}"}
        connecting = min(_CONNECTING, self.timeout)
        return httpx.Client(
            headers=headers, timeout=httpx.Timeout(self.timeout, connect=connecting)
        )

    def _json(self, response: httpx.Response) -> Json:
        try:
            answer = response.json()
        except ValueError as error:
            raise not_understood(response, self.name) from error
        if not isinstance(answer, dict) or "data" not in answer:
            raise not_understood(response, self.name)
        return answer


def _close_in(pid: int, client: httpx.Client) -> None:
    """Close the connections of a process, when nobody has their server any more."""
    if pid == os.getpid():
        client.close()


def _parsed(uri: str) -> tuple[str, tuple[str, ...], str | None]:
    """Return the address of the API, the path of a catalog, and a key that stands in the URI.

    Examples
    --------
    >>> _parsed("http://localhost:8000")
    ('http://localhost:8000/api/v1', (), None)
    >>> _parsed("https://tiled.lab.org/api/v1/metadata/smi/raw?api_key=secret")
    ('https://tiled.lab.org/api/v1', ('smi', 'raw'), 'secret')
    """
    try:
        parts, url = urlsplit(uri), httpx.URL(uri)
    except (ValueError, httpx.InvalidURL):
        parts, url = urlsplit(""), httpx.URL("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidConfiguration(
            "The option 'uri' of the driver 'tiled' must be the address of a Tiled server, such "
            f"as http://localhost:8000 or https://host/api/v1/metadata/catalog, not {uri!r}."
        )
    before, _, after = url.path.rstrip("/").partition(_API)
    inside = tuple(part for part in after.split("/") if part)
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{before}{_API}"
    return base, inside[1:] if inside[:1] == ("metadata",) else inside, url.params.get("api_key")
