"""``databroker serve``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .command import Command
from .completing import complete_name
from .keys import keys_option
from .output import complain, say

_SHORT = 16
"""Characters, of which a token that cannot be guessed has more."""


@click.command(
    "serve",
    cls=Command,
    examples=[
        "databroker serve beamline",
        "databroker serve beamline archive --port 8123 --workers 4",
        "databroker serve ./runs.db --allow-writing",
    ],
)
@click.argument("sources", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_name)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The network address to listen at; 0.0.0.0 for all of this machine.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port; 0 for any that is free.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many processes answer requests.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a query may take.",
)
@click.option(
    "--largest",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    metavar="MIB",
    help="The largest size of a request.",
)
@click.option("--metrics", is_flag=True, help="Offer metrics for Prometheus at /metrics.")
@click.option("--allow-writing", is_flag=True, help="Allow documents to be inserted.")
@keys_option
@click.option(
    "--auth",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the log-ins of your facility: OpenID Connect, a proxy (docs: serving).",
)
@click.option("--no-token", is_flag=True, help="Use no token: only keys and --auth give access.")
@click.option(
    *("--allow-origin", "origins"),
    multiple=True,
    metavar="ORIGIN",
    help="A site whose pages may use the server, such as https://site.example.org.",
)
def serve(
    sources: tuple[str, ...],
    host: str,
    port: int,
    workers: int,
    time_limit: float,
    largest: int,
    metrics: bool,
    allow_writing: bool,
    keys: Path | None,
    auth: Path | None,
    no_token: bool,
    origins: tuple[str, ...],
) -> None:
    """Serve runs over HTTP. NAME is a configuration, or the path of a file or folder with runs.

    It prints an address for each, which 'databroker.open' takes, and a configuration with 'driver:
    http' as its 'uri'. The address contains a token that gives access, a new one at each start. If
    the variable DATABROKER_TOKEN is set, that token is used, and not printed. Make keys for persons
    and programs with 'databroker keys'.

    By default, only programs on this machine can reach the server, and only read. Ctrl-C ends it.
    """
    from ..extras import require

    server = require("databroker.server.command.serve", "server")
    from ..server.access.key_file import KeyFile, default_key_file
    from ..stores.wire.tokens import ENVIRONMENT

    keys = keys or default_key_file()
    options = server.ServeOptions(
        sources=server.named_sources(sources),
        host=host,
        port=port,
        workers=workers,
        allow_writing=allow_writing,
        keys=keys,
        auth=auth,
        with_token=not no_token,
        origins=origins,
        limits=server.Limits(request_bytes=largest * 2**20, answer_seconds=time_limit),
        metrics=metrics,
    )
    if not is_this_machine(host):
        complain(
            "warning: the connection is not encrypted, tokens included. Over a network that is not "
            "yours alone, put a reverse proxy with TLS before the server, or use an SSH tunnel."
        )
    if no_token and auth is None and not KeyFile(keys).keys():
        complain(
            f"warning: nobody has access yet, as there are no keys in {keys}. 'databroker keys "
            "make NAME' makes one."
        )
    if 0 < len(os.environ.get(ENVIRONMENT, "")) < _SHORT and not no_token:
        complain(
            f"warning: the token in the variable {ENVIRONMENT} is short, and may be guessed. It "
            "allows everything; 'openssl rand -hex 32' makes a better one."
        )
    server.serve(options, say)


def is_this_machine(host: str) -> bool:
    """Tell whether an address can be reached from this machine alone.

    Examples
    --------
    >>> is_this_machine("127.0.0.1"), is_this_machine("::1"), is_this_machine("0.0.0.0")
    (True, True, False)
    """
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
