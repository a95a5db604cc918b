"""A trusted reverse proxy, which names the users that it has logged in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from ...errors import AccessRefused, InvalidConfiguration
from .authenticator import Credentials
from .caller import Caller
from .claims import Rules


class TrustedProxy:
    """Lets in whom a proxy names in headers, on connections that come from it.

    The address is that of the connection. Headers from any other address are ignored, and so are
    those beside a token, which says by itself whose request it is.

    Parameters
    ----------
    addresses
        Addresses of hosts, or networks such as ``10.0.0.0/24``.
    headers
        By the names of claims, the headers that have them.
    rules
        What follows from these.

    Raises
    ------
    InvalidConfiguration
        One is no address.

    Examples
    --------
    >>> proxy = TrustedProxy(["10.0.0.5"], {"user": "X-Remote-User"}, Rules("user"))
    >>> header = [("x-remote-user", "ann")]
    >>> proxy.authenticate(Credentials(None, "10.0.0.5", header)).name
    'proxy:ann'
    >>> proxy.authenticate(Credentials(None, "10.0.0.6", header)) is None
    True
    """

    may_wait = False

    def __init__(self, addresses: Sequence[str], headers: Mapping[str, str], rules: Rules) -> None:
        try:
            self._networks = [ipaddress.ip_network(each) for each in addresses]
        except ValueError as error:
            raise InvalidConfiguration(f"The proxy's address is none: {error}.") from error
        self._headers = {claim: header.lower() for claim, header in headers.items()}
        self._rules = rules

    def authenticate(self, credentials: Credentials) -> Caller | None:
        """Return whom the proxy names; see `Authenticator.authenticate`."""
        found = {claim: credentials.header(header) for claim, header in self._headers.items()}
        is_trusted = credentials.token is None and self._is(credentials.address)
        if not is_trusted or not any(found.values()):
            return None
        several = [self._headers[claim] for claim, values in found.items() if len(values) > 1]
        if several:
            raise AccessRefused(
                f"The header {several[0]!r} came twice. Set the proxy up so that it removes what "
                "clients send under this name."
            )
        given = {claim: values[0] for claim, values in found.items() if values}
        claims = {
            claim: value if claim == self._rules.name else _listed(value)
            for claim, value in given.items()
        }
        return self._rules.caller(claims).known_by("proxy")

    def _is(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)


def _listed(value: str) -> list[str]:
    return [each for each in map(str.strip, value.split(",")) if each]
