"""How a server ends: soon, whatever is being asked."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket

PATIENCE = 10
"""Seconds that are waited, at the end, for answers that are being given."""

_LONGER = 5.0
"""Seconds that are waited then for what was told to give up."""

_LOG = logging.getLogger("databroker.server")


class ServerWithStreams(uvicorn.Server):
    """Ends what would go on for ever before it waits for requests to be answered.

    A thread may be in the middle of something that nobody can interrupt, and Python waits for it.
    The process ends all the same: what it has answered is stored, and the rest is as after a crash.
    """

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is served."""
        self._end_streams()
        threading.Thread(target=_end_at_last, daemon=True, name="databroker ends").start()
        await super().shutdown(sockets)


def _end_at_last() -> None:
    """End this process, if it has not ended by itself."""
    time.sleep(PATIENCE + _LONGER)
    _LOG.warning("this process ends amid what it was asked and has not answered")
    logging.shutdown()
    os._exit(0)
