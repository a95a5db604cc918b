"""The ASGI application: routes, access, health checks and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount

from .. import __version__
from ..broker.broker import Broker
from ..errors import StoreUnavailable
from ..runs.session import Session
from ..stores.base import Store
from ..stores.wire.calls import CALLS, VERSION
from ..stores.wire.problems import to_problem
from .access.access import Access, refused
from .access.cors import with_cors
from .calls import endpoint_of
from .capacity import Capacity
from .limits import Limits
from .live import endpoints as live
from .monitoring.health import Health
from .monitoring.metrics import Metrics
from .openapi import openapi
from .paths import path_of, source_and_call
from .routing import route
from .signing.signer import Signer
from .source import ServedSource, SourceView

if TYPE_CHECKING:
    from starlette.types import ASGIApp

Source = Store | Broker
DEFAULT = Limits()


def app(
    sources: Source | Mapping[str, Source],
    *,
    token: str | None = None,
    access: Access | None = None,
    allow_origins: Sequence[str] = (),
    secret: str | None = None,
    allow_writing: bool = False,
    limits: Limits = DEFAULT,
    metrics: bool = False,
    close: bool = False,
) -> ASGIApp:
    """Return an ASGI application that serves runs.

    Parameters
    ----------
    sources
        A broker or a store, served below ``/v1``; or several by name, each below ``/<name>/v1``.
        They stay yours to close, unless `close` says otherwise.
    token
        The token that each request must have (``Authorization: Bearer <token>``). Without one, and
        without `access`, everybody who reaches the application may use it: check users before it.
    access
        In place of a token: who is let in, and what each may do.
    allow_origins
        The sites whose pages may use the server from a browser, such as
        ``https://site.example.org``.
    secret
        Signs the cursors that clients are given: several processes that answer for one source
        must have the same. By default the token or, without one, a new secret.
    allow_writing
        Whether documents can be inserted.
    limits
        Limits of size, time and number. Those of connections are for `databroker serve` alone:
        another ASGI server, or a proxy before it, has its own.
    metrics
        Whether there are metrics for Prometheus at ``/metrics``, for callers with the scope
        ``admin``.
    close
        Whether the sources are closed when the application is shut down.

    Returns
    -------
    ASGIApp
        For uvicorn, or to be mounted in another application.

    Raises
    ------
    InvalidConfiguration
        The token is empty, or an origin is none.
    MissingExtra
        Metrics are wanted, and `prometheus_client` is not installed.

    Examples
    --------
    >>> from databroker.stores.memory import MemoryStore
    >>> served = app({"lab": MemoryStore()}, token="of your own making")
    >>> callable(served)
    True
    """
    sessions = {name: _session(source) for name, source in _named(sources).items()}
    signer = Signer(secret or token)
    capacity = Capacity(limits)
    routes: list[BaseRoute] = []
    for name, session in sessions.items():
        inside = _routes(ServedSource(session, allow_writing, signer.of(name), capacity))
        routes += inside if not name else [Mount(f"/{name}", routes=inside)]
    stores = [session.store for session in sessions.values()]
    counting = Metrics.of(routes) if metrics else None
    if counting is not None:
        routes.append(counting.route())
    whole = Starlette(
        routes=routes,
        exception_handlers={404: partial(_nothing_there, sorted(sessions))},
        lifespan=_lifespan(sessions.values()) if close else None,
    )
    guarded: ASGIApp = AuthenticationMiddleware(whole, access or Access.by(token), refused)
    guarded = with_cors(guarded, allow_origins)
    return Health(stores).around(guarded if counting is None else counting.around(guarded))


def _named(sources: Source | Mapping[str, Source]) -> Mapping[str, Source]:
    return sources if isinstance(sources, Mapping) else {"": sources}


def _session(source: Source) -> Session:
    return (source if isinstance(source, Broker) else Broker(source)).session


async def _nothing_there(names: Sequence[str], request: Request, _: Exception) -> Response:
    """Answer a request for what there is not: who has mistaken a source is told which there are."""
    source, call = source_and_call(path_of(request.scope))
    if not call or source in names or "" in names:
        return PlainTextResponse("Not Found", 404)
    there = ", ".join(names)
    mistake = StoreUnavailable(f"This server has no source {source!r:.200}. It has: {there}.")
    return JSONResponse(dict(to_problem(mistake)), 404)


def _lifespan(
    sessions: Iterable[Session],
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for session in sessions:
            await run_in_threadpool(session.source.close)
            await run_in_threadpool(session.store.close)

    return lifespan


@cache
def _description() -> dict[str, Any]:
    return openapi(CALLS.values(), __version__)


def _routes(source: ServedSource) -> list[BaseRoute]:
    """Return the routes of one source; those of calls are made of their table."""

    async def about(view: SourceView, request: Request) -> Response:
        said = await view.run(view.about, receive=request.receive)
        limits = source.capacity.limits
        largest = {"question": limits.largest(writes=False), "insert": limits.largest(writes=True)}
        return JSONResponse({"databroker": __version__, "largest": largest, **said})

    async def describe(_: SourceView, __: Request) -> Response:
        return JSONResponse(_description())

    # They are tried one after the other: first those that come most often, which are inserts.
    return [
        *(
            route(
                "POST",
                f"/{VERSION}/{call.name}",
                source,
                endpoint_of(call),
                needs="write" if call.writes else "read",
            )
            for call in sorted(CALLS.values(), key=lambda call: not call.writes)
        ),
        route("GET", f"/{VERSION}/about", source, about, needs=None),
        route("GET", f"/{VERSION}/openapi.json", source, describe, needs=None),
        *(
            route("GET", f"/{VERSION}/{path}", source, tell, quota=source.capacity.followers)
            for path, tell in live.STREAMS.items()
        ),
    ]
