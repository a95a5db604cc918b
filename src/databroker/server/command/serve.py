"""What `databroker serve` does: open sources, and serve them by one process or several."""

from __future__ import annotations

import gc
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import uvicorn

from ..._util.signals import not_from_signal
from ...broker.broker import Broker
from ...broker.naming import is_path
from ...broker.whatever import open_together
from ...config import Configuration, user_data_dir
from ...errors import InvalidConfiguration
from ...stores.wire.tokens import ENVIRONMENT, check_token
from ..access.access import Access
from ..access.audit import log_to_errors
from ..access.auth_file import read_auth_file
from ..access.key_file import KeyFile
from ..access.tokens import OneToken
from ..application import app
from ..limits import Limits as Limits
from ..live.event_stream import WithStreams
from ..monitoring.metrics import numbers_of_processes
from .connections import limited
from .ending import PATIENCE, ServerWithStreams
from .secret_file import persistent_secret
from .workers import run_workers

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_OTHER_FILES = 1_000
"""Files that are open besides connections."""

_OBJECTS = 10_000
"""So many are made before Python looks for reference cycles among them, of which requests leave
hardly any. By default it looks after 700, which takes a sixth of the time of an insert."""


class ServeOptions(NamedTuple):
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


def named_sources(names: Sequence[str]) -> dict[str, str]:
    """Return what is served, by the names that stand in addresses.

    Raises
    ------
    InvalidConfiguration
        Two would have one name.

    Examples
    --------
    >>> named_sources(["csx", "./runs.db"])
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


def serve(options: ServeOptions, tell: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    options
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
    ServerFailed
        No process lasts that should answer.
    """
    given = os.environ.get(ENVIRONMENT)
    check_token(given or "")
    token = given or secrets.token_urlsafe(32)
    brokers = _brokers(options.sources)
    try:
        application(options, brokers, token, token)  # so that what is wrong is said before
    finally:
        for broker in brokers.values():
            broker.close()
    with listening_socket(options.host, options.port) as listener:
        # Connections have it, too: else asyncio, without uvloop, has each answer wait for 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for address in _addresses(options, listener.getsockname()[1]):
            tell(address if given or not options.with_token else f"{address}?token={token}")
        # Cursors that clients keep are good on other machines, too, where these have one token.
        secret = given or persistent_secret(user_data_dir())
        if options.workers == 1:
            run_worker(options, token, secret, listener)
        else:
            log_to_errors()
            with numbers_of_processes() if options.metrics else nullcontext():
                run_workers(options.workers, run_worker, (options, token, secret, listener))


def run_worker(options: ServeOptions, token: str, secret: str, listener: socket.socket) -> None:
    """Answer the connections of a socket, until interrupted."""
    log_to_errors()
    raise_file_limit(options.limits.connections)
    gc.set_threshold(_OBJECTS)
    served = WithStreams(application(options, _brokers(options.sources), token, secret))
    config = uvicorn.Config(
        served,
        ws="none",
        access_log=False,  # addresses that people type may have the token in them
        log_config=None,  # what it logs looks like the rest
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # an address is that of the connection, whatever is said of it
        timeout_graceful_shutdown=PATIENCE,
    )
    ServerWithStreams(limited(config, options.limits), served.end_streams).run([listener])


def application(
    options: ServeOptions, brokers: Mapping[str, Broker], token: str, secret: str
) -> ASGIApp:
    """Return what answers, which closes the brokers when it is shut down."""
    return app(
        brokers,
        access=access_of(options, token),
        secret=secret,
        allow_origins=options.origins,
        allow_writing=options.allow_writing,
        limits=options.limits,
        metrics=options.metrics,
        close=True,
    )


def listening_socket(host: str, port: int) -> socket.socket:
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


def raise_file_limit(connections: int) -> None:
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


def access_of(options: ServeOptions, token: str) -> Access:
    """Return the access control that the options describe.

    Raises
    ------
    InvalidConfiguration
        A file does not say so as it must.
    """
    keys = KeyFile(options.keys)
    keys.keys()
    others = [] if options.auth is None else read_auth_file(options.auth)
    token_or_none = [OneToken(token)] if options.with_token else []
    return Access([*token_or_none, keys, *others])


def _brokers(sources: Mapping[str, str]) -> dict[str, Broker]:
    """Open what is served; where one cannot be opened, none is."""
    brokers: dict[str, Broker] = {}
    with ExitStack() as unmade:
        for served, name in sources.items():
            broker = open_together([name], _without_spill)
            unmade.callback(broker.close)
            brokers[served] = broker
        unmade.pop_all()
    return brokers


def _without_spill(configuration: Configuration) -> Broker:
    """Open a source of which documents wait with whoever brings them, and not here.

    Those of one run come to several processes, and have no order in what each of them would keep.
    """
    return Broker.opened(configuration.without_spill())


def _addresses(options: ServeOptions, port: int) -> Iterator[str]:
    # Where all addresses of this machine are meant, others reach it by its name.
    named = socket.gethostname() if options.host in ("0.0.0.0", "::") else options.host
    host = f"[{named}]" if ":" in named else named
    for name in options.sources:
        yield f"http://{host}:{port}/{quote(name)}"
