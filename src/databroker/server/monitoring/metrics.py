"""Metrics of a server, as Prometheus collects them.

Where several processes answer, each writes its numbers into files of one folder, and whichever is
asked adds them up.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ...errors import NotPermitted
from ...extras import require
from ..paths import path_of, source_and_call
from ..responses import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the folder of several processes, as prometheus_client has it."""

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60)
_OTHER = "other"


class Metrics:
    """The numbers of a server.

    Parameters
    ----------
    sources, calls
        The names of what there is: other ones that somebody asks for are not told apart.

    Raises
    ------
    MissingExtra
        prometheus_client is not installed.
    """

    def __init__(self, sources: Collection[str], calls: Collection[str]) -> None:
        self._client = client = require("prometheus_client", "metrics")
        self._sources, self._calls = frozenset(sources), frozenset(calls)
        self._registry = client.CollectorRegistry()
        labels, more = ["source", "call"], {"registry": self._registry}
        self._requests = client.Counter(
            "databroker_requests", "Requests that were answered.", [*labels, "status"], **more
        )
        self._seconds = client.Histogram(
            "databroker_request_seconds",
            "How long it took until an answer was sent as a whole.",
            labels,
            buckets=_SECONDS,
            **more,
        )
        self._received = client.Counter(
            "databroker_received_bytes", "Bytes of the bodies of requests.", labels, **more
        )
        self._sent = client.Counter(
            "databroker_sent_bytes", "Bytes of the bodies of answers.", labels, **more
        )
        self._open = client.Gauge(
            "databroker_open_requests",
            "Requests that are being answered, those of followers among them.",
            labels,
            multiprocess_mode="livesum",
            **more,
        )
        if FOLDER in os.environ:
            _forget_the_dead(Path(os.environ[FOLDER]))

    @classmethod
    def of(cls, routes: Iterable[BaseRoute]) -> Metrics:
        """Return the numbers of what some routes answer."""
        named = [pair for path in _paths(routes) if (pair := source_and_call(path))[1]]
        return cls({source for source, _ in named}, {call for _, call in named})

    def around(self, inside: ASGIApp) -> ASGIApp:
        """Return an application that counts what another one does."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await inside(scope, receive, send)
                return
            await self._count(inside, scope, receive, send)

        return counted

    async def _count(self, inside: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        labels = self._labels(path_of(scope))
        received, sent = self._received.labels(*labels), self._sent.labels(*labels)
        status = 500  # unless it says something else, which it must before it is sent

        async def receiving() -> Message:
            message = await receive()
            received.inc(len(message.get("body", b"")))
            return message

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)
            sent.inc(len(message.get("body", b"")))

        begin = time.perf_counter()
        try:
            with self._open.labels(*labels).track_inprogress():
                await inside(scope, receiving, sending)
        finally:
            self._seconds.labels(*labels).observe(time.perf_counter() - begin)
            self._requests.labels(*labels, str(status)).inc()

    def _labels(self, path: str) -> tuple[str, str]:
        """Return the source and the call that a path names."""
        source, call = source_and_call(path)
        is_known = source in self._sources and call in self._calls
        return (source, call) if is_known else (_OTHER, _OTHER)

    def route(self) -> Route:
        """Return the route of the metrics, for callers with the scope ``admin``."""
        return Route("/metrics", self._told)

    async def _told(self, request: Request) -> Response:
        try:
            request.user.caller.check("admin")
        except NotPermitted as error:
            return problem(error)
        text = await run_in_threadpool(self._text)
        return Response(text, headers={"Content-Type": self._client.CONTENT_TYPE_LATEST})

    def _text(self) -> Any:
        registry = self._registry
        if FOLDER in os.environ:
            registry = self._client.CollectorRegistry()
            require("prometheus_client.multiprocess", "metrics").MultiProcessCollector(registry)
        return self._client.generate_latest(registry)


@contextmanager
def numbers_of_processes() -> Iterator[None]:
    """Have the processes that are begun meanwhile count together, in a folder that goes again."""
    require("prometheus_client", "metrics")
    if FOLDER in os.environ:  # whoever runs them has made one
        yield
        return
    with tempfile.TemporaryDirectory(prefix="databroker-metrics-") as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def _paths(routes: Iterable[BaseRoute]) -> Iterator[str]:
    for route in routes:
        inside = _paths(getattr(route, "routes", None) or ())
        yield from (f"{getattr(route, 'path', '')}{path}" for path in ["", *inside])


def _forget_the_dead(folder: Path) -> None:
    """Leave out of what is open that of processes that are gone; what they counted stays."""
    multiprocess = require("prometheus_client.multiprocess", "metrics")
    for path in folder.glob("gauge_live*_*.db"):
        pid = int(path.stem.rpartition("_")[2])
        with suppress(PermissionError):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                multiprocess.mark_process_dead(pid, str(folder))
