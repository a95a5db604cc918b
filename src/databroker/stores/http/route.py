"""How a server is reached: directly or through a proxy, and with which certificates."""

from __future__ import annotations

import ssl
from base64 import b64encode
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import SplitResult, unquote, urlsplit

from ...errors import InvalidConfiguration


class Route:
    """The way to a server, directly or through the proxy that the environment names.

    Certificates are held against those that the system trusts, or that ``SSL_CERT_FILE`` or
    ``SSL_CERT_DIR`` name. Proxies are those of ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and
    ``NO_PROXY``, or of the system.

    Parameters
    ----------
    uri
        The address of what is on the server.

    Attributes
    ----------
    target
        What a request names that is meant for the address.
    headers
        What each request says, because of the way that it goes.
    through
        The proxy, in words for a message; empty for none.

    Raises
    ------
    InvalidConfiguration
        The proxy is of a kind that cannot be gone through.
    """

    def __init__(self, uri: str) -> None:
        self._to = to = urlsplit(uri)
        self._proxy = proxy = _proxy(to)
        # Where nothing is encrypted, no certificates are loaded, which takes a while.
        self._context = ssl.create_default_context() if to.scheme == "https" else None
        self.target = uri if proxy and not self._context else to.path
        self.headers = {"Host": to.netloc.encode("idna").decode()}
        if proxy and not self._context:
            self.headers |= _credentials(proxy)
        self.through = _in_words(proxy) if proxy else ""

    def connection(self, timeout: float) -> HTTPConnection:
        """Return a connection that is yet to be made, which may take so many seconds."""
        to = self._proxy or self._to
        host, port = to.hostname or "", to.port
        if self._context is None:
            return _Plain(host, port or 80, timeout=timeout)
        secure = _Encrypted(host, port or 443, timeout=timeout, context=self._context)
        if self._proxy:
            secure.set_tunnel(self._to.hostname or "", self._to.port, _credentials(self._proxy))
        return secure


class _Plain(HTTPConnection):
    """Closes itself, wherever an interrupt has dropped it."""

    def __del__(self) -> None:
        self.close()


class _Encrypted(HTTPSConnection, _Plain):
    """The same with TLS."""


def _proxy(to: SplitResult) -> SplitResult | None:
    """Return the address of the proxy that is to be asked, if there is one."""
    from urllib.request import getproxies, proxy_bypass

    found = getproxies()
    said = found.get(to.scheme) or found.get("all")
    if not said or proxy_bypass(to.netloc):
        return None
    proxy = urlsplit(said if "://" in said else f"http://{said}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise InvalidConfiguration(
            f"A proxy of the kind {proxy.scheme!r}, which the environment names, cannot be gone "
            f"through: only those at http://... Name {to.hostname!r} in NO_PROXY to go without."
        )
    return proxy


def _in_words(proxy: SplitResult) -> str:
    at = proxy.netloc.rpartition("@")[2]
    return f" (through the proxy {at}, which the environment names; NO_PROXY has hosts to except)"


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
