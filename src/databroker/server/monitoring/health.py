"""Health checks, for whatever monitors the server: they need no token."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from ...errors import DatabrokerError
from ..paths import path_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ...stores.base import Store

_FRESH = 1.0
"""Seconds for which an answer is kept, so that stores are not asked more often than that."""

_LOG = logging.getLogger("databroker.server")


class Health:
    """Answers health checks with one word each, as anybody may ask.

    Parameters
    ----------
    stores
        Those that must be reached for it to be ready.
    """

    def __init__(self, stores: Iterable[Store]) -> None:
        self._stores = list(stores)
        self._lock = asyncio.Lock()
        self._ready = False
        self._asked = float("-inf")

    def around(self, inside: ASGIApp) -> ASGIApp:
        """Return an application that answers these, and passes all else on to another one."""
        answers = {"/healthz": _live, "/readyz": self._is_ready}

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            answer = answers.get(path_of(scope)) if scope["type"] == "http" else None
            await (inside if answer is None else await answer())(scope, receive, send)

        return watched

    async def _is_ready(self) -> Response:
        """Answer whether all stores can be reached."""
        async with self._lock:
            if time.monotonic() - self._asked > _FRESH:
                self._ready = await run_in_threadpool(self._reached)
                self._asked = time.monotonic()
        if self._ready:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready"}, 503, {"Retry-After": "1"})

    def _reached(self) -> bool:
        for store in self._stores:
            try:
                store.reach()
            except DatabrokerError as error:
                # What is wrong is nobody's but the log's: addresses may be in it.
                _LOG.warning("not ready: %s", error)
                return False
        return True


async def _live() -> Response:
    """Answer that the server is there."""
    return JSONResponse({"status": "alive"})
