"""Serving what configurations name: on a port of this machine, by one process or several."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import uvicorn

from .._util.signals import not_from_signal
from ..broker.broker import Broker
from ..broker.naming import is_path
from ..broker.whatever import open_at
from ..config import user_data_dir
from ..errors import InvalidConfiguration
from ..stores.wire.tokens import ENVIRONMENT, check_token
from .access.access import Access
from .access.audit import log_to_errors
from .access.auth_file import read_auth_file
from .access.key_file import KeyFile
from .access.tokens import OneToken
from .application import app
from .connections import limited
from .kept_secret import kept_secret
from .limits import Limits as Limits
from .live.stream import WithStreams
from .metrics import numbers_of_processes
from .workers import run_all

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_OTHER_FILES = 1_000
"""Files that are open besides connections."""

_PATIENCE = 10
"""Seconds that are waited, at the end, for answers that are being given."""


class Serving(NamedTuple):
    """What is served, and where.

    Attributes
    ----------
    sources
        Configurations, or paths of what has runs, by the names under which they are served.
    host, port
        Where; port 0 stands for any that is free.
    workers
        How many processes answer.
    allow_writing
        Whether documents can be inserted.
    keys
        The file with keys that let in, if it is there.
    auth
        The file that says whom somebody else lets in.
    with_token
        Whether one token lets in, too, and may do everything.
    origins
        The sites whose pages may ask.
    limits
        How much each process takes on, and for how long.
    metrics
        Whether ``/metrics`` tells what is done.
    """

    sources: Mapping[str, str]
    host: str
    port: int
    workers: int
    allow_writing: bool
    keys: Path
    auth: Path | None = None
    with_token: bool = True
    origins: Sequence[str] = ()
    limits: Limits = Limits()
    metrics: bool = False


def sources_of(names: Sequence[str]) -> dict[str, str]:
    """Return what is served, by the names that stand in addresses.

    Raises
    ------
    InvalidConfiguration
        Two would have one name.

    Examples
    --------
    >>> sources_of(["csx", "./runs.db"])
    {'csx': 'csx', 'runs': './runs.db'}
    """
    found: dict[str, str] = {}
    for name in names:
        served = Path(name).resolve().stem if is_path(name) else name
        if served in found:
            raise InvalidConfiguration(
                f"{found[served]!r} and {name!r} would both be served as {served!r}: give one of "
                "them a configuration with another name."
            )
        found[served] = name
    return found


def serve(serving: Serving, tell: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    serving
        What, and where.
    tell
        Called with the address of each source once it is served. A token that was made just now
        is in it; who gave one knows it, and what is printed may end in a log.

    Raises
    ------
    DatabrokerError
        A source cannot be opened, or what is asked for cannot be done.
    InvalidConfiguration
        The port is taken, or not to be had.
    """
    given = os.environ.get(ENVIRONMENT)
    check_token(given or "")
    token = given or secrets.token_urlsafe(32)
    brokers = _brokers(serving.sources)
    try:
        application(serving, brokers, token, token)  # so that what is wrong is said before
    finally:
        for broker in brokers.values():
            broker.close()
    with door_of(serving.host, serving.port) as door:
        # Connections have it, too: else asyncio, without uvloop, has each answer wait for 40 ms.
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for address in _addresses(serving, door.getsockname()[1]):
            tell(address if given or not serving.with_token else f"{address}?token={token}")
        # Cursors that clients keep are good on other machines, too, where these have one token.
        secret = given or kept_secret(user_data_dir())
        if serving.workers == 1:
            work(serving, token, secret, door)
        else:
            with numbers_of_processes() if serving.metrics else nullcontext():
                run_all(serving.workers, work, (serving, token, secret, door))


def work(serving: Serving, token: str, secret: str, door: socket.socket) -> None:
    """Answer what comes to a port, until interrupted."""
    log_to_errors()
    allow_files(serving.limits.connections)
    served = WithStreams(application(serving, _brokers(serving.sources), token, secret))
    config = uvicorn.Config(
        served,
        ws="none",
        access_log=False,  # addresses that people type may have the token in them
        log_level="warning",
        proxy_headers=False,  # an address is that of the connection, whatever is said of it
        timeout_graceful_shutdown=_PATIENCE,
    )
    ServerWithStreams(limited(config, serving.limits), served.end_streams).run([door])


def application(
    serving: Serving, brokers: Mapping[str, Broker], token: str, secret: str
) -> ASGIApp:
    """Return what answers, which closes the brokers when it is shut down."""
    return app(
        brokers,
        access=access_of(serving, token),
        secret=secret,
        allow_origins=serving.origins,
        allow_writing=serving.allow_writing,
        limits=serving.limits,
        metrics=serving.metrics,
        close=True,
    )


def door_of(host: str, port: int) -> socket.socket:
    """Return the socket to which connections come.

    Raises
    ------
    InvalidConfiguration
        It is taken, or not to be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except not_from_signal(OSError) as error:
        raise InvalidConfiguration(
            f"Nothing can be served at {host}, port {port}: {error.strerror or error}. If another "
            "program has the port, perhaps another 'databroker serve', give --port another number, "
            "or 0 for one that is free. --host takes an address of this machine; 0.0.0.0 is all."
        ) from error


class ServerWithStreams(uvicorn.Server):
    """Ends what would go on for ever before it waits for requests to be answered."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is served."""
        self._end_streams()
        await super().shutdown(sockets)


def allow_files(connections: int) -> None:
    """Let this process have a file open for each connection, as far as it may."""
    try:
        import resource
    except ImportError:  # elsewhere than on Unix, where there is no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def access_of(serving: Serving, token: str) -> Access:
    """Return who is let in.

    Raises
    ------
    InvalidConfiguration
        A file does not say so as it must.
    """
    keys = KeyFile(serving.keys)
    keys.keys()
    others = [] if serving.auth is None else read_auth_file(serving.auth)
    token_or_none = [OneToken(token)] if serving.with_token else []
    return Access([*token_or_none, keys, *others])


def _brokers(sources: Mapping[str, str]) -> dict[str, Broker]:
    """Open what is served; where one cannot be opened, none is."""
    brokers: dict[str, Broker] = {}
    with ExitStack() as unmade:
        for served, name in sources.items():
            broker = open_at(name, Broker.opened) if is_path(name) else Broker.named(name)
            unmade.callback(broker.close)
            brokers[served] = broker
        unmade.pop_all()
    return brokers


def _addresses(serving: Serving, port: int) -> Iterator[str]:
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    for name in serving.sources:
        yield f"http://{host}:{port}/{name}"
