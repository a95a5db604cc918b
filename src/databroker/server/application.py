"""The ASGI application: what is served where, and who may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from .. import __version__
from ..broker.broker import Broker
from ..errors import DatabrokerError
from ..stores.base import Store
from ..stores.wire.calls import CALLS, VERSION, Call
from .access import TokenNeeded
from .answers import answer
from .description import description
from .requests import LARGEST, arguments
from .responses import problem
from .served import Served

if TYPE_CHECKING:
    from starlette.types import ASGIApp

Source = Store | Broker


def app(
    sources: Source | Mapping[str, Source],
    *,
    token: str | None = None,
    allow_writing: bool = False,
    largest: int = LARGEST,
    close: bool = False,
) -> ASGIApp:
    """Return an ASGI application that serves runs.

    Parameters
    ----------
    sources
        A broker or a store, served below ``/v1``; or several by name, each below ``/<name>/v1``.
        They stay yours to close, unless `close` says otherwise.
    token
        What each request must bring (``Authorization: Bearer <token>``). Without one, whoever
        reaches the application may read everything: something before it must see to that.
    allow_writing
        Whether documents can be inserted.
    largest
        How many bytes the body of a request may have.
    close
        Whether the sources are closed when the application is shut down.

    Returns
    -------
    ASGIApp
        For uvicorn, or to be mounted in another application.

    Examples
    --------
    >>> from databroker.stores.memory import MemoryStore
    >>> served = app({"lab": MemoryStore()}, token="of your own making")
    >>> type(served).__name__
    'TokenNeeded'
    """
    stores = {name: _store(source) for name, source in _named(sources).items()}
    routes: list[BaseRoute] = []
    for name, store in stores.items():
        inside = _routes(Served(store, allow_writing), largest)
        routes += inside if not name else [Mount(f"/{name}", routes=inside)]
    whole = Starlette(routes=routes, lifespan=_lifespan(list(stores.values())) if close else None)
    return whole if token is None else TokenNeeded(whole, token)


def _named(sources: Source | Mapping[str, Source]) -> Mapping[str, Source]:
    return sources if isinstance(sources, Mapping) else {"": sources}


def _store(source: Source) -> Store:
    return source.store if isinstance(source, Broker) else source


def _lifespan(
    stores: list[Store],
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for store in stores:
            await run_in_threadpool(store.close)

    return lifespan


def _routes(served: Served, largest: int) -> list[BaseRoute]:
    """Return the routes of one source, made of the table of calls."""
    openapi = description(CALLS.values(), __version__)

    async def tell(_: Request) -> Response:
        about = await run_in_threadpool(served.about)
        return JSONResponse({"databroker": __version__, "largest": largest, **about})

    async def describe(_: Request) -> Response:
        return JSONResponse(openapi)

    return [
        Route(f"/{VERSION}/about", tell, methods=["GET"]),
        Route(f"/{VERSION}/openapi.json", describe, methods=["GET"]),
        *(
            Route(f"/{VERSION}/{call.name}", _endpoint(served, call, largest), methods=["POST"])
            for call in CALLS.values()
        ),
    ]


def _endpoint(served: Served, call: Call, largest: int) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            given = await arguments(request, call, largest)
            compressed = request.query_params.get("compression") == "zstd"
            return await answer(served, call, given, compressed)
        except DatabrokerError as error:
            return problem(error)

    return endpoint
