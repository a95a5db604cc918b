"""Whether the hosts of an address are known by their names."""

from __future__ import annotations

import socket

from ...errors import StoreUnavailable
from .clients import Client


def check_hosts(client: Client, name: str) -> None:
    """Refuse an address of which no host has a name that is known: that is no server that is away.

    Where names cannot be looked up just now, nothing is said.
    """
    if name.startswith("mongodb+srv:"):  # of which pymongo says so itself
        return
    hosts = client.topology_description.server_descriptions()
    if hosts and all(_is_unknown(host, port) for host, port in hosts):
        unknown = ", ".join(repr(host) for host, _ in hosts)
        raise StoreUnavailable(
            f"{name} cannot be reached: there is no host of the name {unknown}. Give the right "
            "one in the address."
        )


def _is_unknown(host: str, port: int | None) -> bool:
    if port is None:  # a socket on this machine
        return False
    try:
        socket.getaddrinfo(host, port)
    except socket.gaierror as error:
        return error.errno != socket.EAI_AGAIN
    except UnicodeError:  # what can be no name
        return True
    return False
