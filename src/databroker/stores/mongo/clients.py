"""The client of pymongo through which a process asks a server; it is closed in any case."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pymongo
from pymongo import MongoClient

from ..._util.forks import tell_of_forks
from ...errors import StoreUnavailable

Client = MongoClient[dict[str, Any]]

_PATIENCE = 1.0
"""Seconds for telling a server, which may be away, that its sessions are over."""


class Clients:
    """Gives the client that is in use: one at a time, and a forked process has its own.

    Parameters
    ----------
    name
        Of the database, for errors.
    connect
        What makes a client, which reaches the server when it is first asked.
    """

    def __init__(self, name: str, connect: Callable[[], Client]) -> None:
        self._name, self._connect = name, connect
        self._current: Client | None = connect()
        self._inherited: list[Client] = []  # of the parent: neither used nor closed
        self._abandoned: list[Client] = []
        self._is_closed = False
        tell_of_forks(self)

    def current(self) -> Client:
        """Return the client that is in use."""
        if self._is_closed:
            raise StoreUnavailable(f"The store in {self._name} is closed.")
        if self._current is None:
            self._current = self._connect()
        return self._current

    def abandon(self) -> None:
        """Use this client no more; others may be amid something with it."""
        client, self._current = self._current, None
        if client is not None:
            self._abandoned.append(client)

    def close(self) -> None:
        """Let go of all connections."""
        self._is_closed = True
        client, self._current = self._current, None
        if client is not None:
            _close(client)
        while self._abandoned:  # an interrupt may have left them locked
            threading.Thread(target=_close, args=[self._abandoned.pop()], daemon=True).start()

    def drop(self) -> None:
        """Let go of what nobody closed, while anything may be going on in this thread."""
        if threading.main_thread().is_alive():  # otherwise the process ends
            self.abandon()
        self.close()

    def before_fork(self) -> None:
        """Do nothing: the connections stay those of the parent."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""

    def after_fork_in_child(self) -> None:
        """Begin anew."""
        self.abandon()
        self._inherited += self._abandoned
        self._abandoned = []


def _close(client: Client) -> None:
    with pymongo.timeout(_PATIENCE):
        client.close()
