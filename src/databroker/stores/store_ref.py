"""What lazy arrays hold instead of data: where to find it, from any process.

In the process that made it, a locator holds the open store. Pickled, it is
the store's configuration. In another process the store is opened once, when
something is first read, and kept for the tasks to come: the last few stores
are remembered, and closed when the process ends. A forked child begins with
nothing remembered.
"""

from __future__ import annotations

import atexit
import os
import pickle
import threading
from collections import OrderedDict
from typing import Any, Generic, TypeVar

_REMEMBERED = 8

Opened = TypeVar("Opened")


class StoreRef(Generic[Opened]):
    """A store, or how to open it."""

    def __init__(self, store: Opened) -> None:
        self._store: Opened | None = store
        self._configuration = b""

    @property
    def store(self) -> Opened:
        """The store, opened by now."""
        if self._store is None:
            opened: Opened = _opened.get(self._configuration)
            self._store = opened
        return self._store

    def __getstate__(self) -> dict[str, Any]:
        # A store that lives in one process refuses here, and says so.
        return {"_configuration": self._configuration or pickle.dumps(self._store)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._store = None
        self._configuration = state["_configuration"]


class OpenStores:
    """The stores that this process opened for locators, by their configuration."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._begin()

    def get(self, configuration: bytes) -> Any:
        """Return the store of a configuration (its pickle), opening it if need be."""
        if self._pid != os.getpid():
            self._inherited.append(self._stores)  # the parent's: neither used nor closed here
            self._begin()
        with self._lock:
            store = self._stores.get(configuration)
            if store is None:
                store = pickle.loads(configuration)
                self._stores[configuration] = store
                if len(self._stores) > self._most:
                    self._stores.popitem(last=False)
            self._stores.move_to_end(configuration)
            return store

    def close(self) -> None:
        """Close them all."""
        if self._pid == os.getpid():
            with self._lock:
                while self._stores:
                    self._stores.popitem()[1].close()

    def __len__(self) -> int:
        return len(self._stores)

    _inherited: list[Any] = []  # noqa: RUF012 - one for the process, so that nothing is closed

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._stores: OrderedDict[bytes, Any] = OrderedDict()


_opened = OpenStores()
atexit.register(_opened.close)
