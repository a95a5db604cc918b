"""``databroker serve``."""

from __future__ import annotations

import click

from .command import Command
from .completing import complete_name
from .output import say


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
    "--host", default="127.0.0.1", show_default=True, help="The address to be reached at."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Its port; 0 for one that is free.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many processes answer.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a question may take.",
)
@click.option(
    "--largest",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    metavar="MIB",
    help="The size of a request.",
)
@click.option(
    "--metrics", is_flag=True, help="Tell at /metrics what is done, in the form of Prometheus."
)
@click.option("--allow-writing", is_flag=True, help="Let documents be inserted, too.")
def serve(
    sources: tuple[str, ...],
    host: str,
    port: int,
    workers: int,
    time_limit: float,
    largest: int,
    metrics: bool,
    allow_writing: bool,
) -> None:
    """Serve runs over HTTP: of configurations, or of what is at paths, each under its name.

    The addresses that it prints are what a configuration with 'driver: http' takes as 'uri'. They
    have a token in them, without which nobody is let in: a new one at each start. If the
    variable DATABROKER_TOKEN has one, that lets in, and is not printed.

    By default only programs on this machine can reach it, and only read. It ends with Ctrl-C.
    """
    from ..extras import require

    running = require("databroker.server.running", "server")
    served = running.sources_of(sources)
    limits = running.Limits(request_bytes=largest * 2**20, answer_seconds=time_limit)
    running.serve(running.Serving(served, host, port, workers, allow_writing, limits, metrics), say)
