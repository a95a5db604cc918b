"""The state of a source as clients see it: a value that changes whenever more was stored."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..query.nodes import Node
    from ..stores.base import Store

_REMEMBERED = 256


class ChangeCounter:
    """Counts how often more was stored, as seen by one thread: a state means nothing to others.

    Parameters
    ----------
    store
        The store of all runs.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asker = ThreadPoolExecutor(1, thread_name_prefix="databroker-changes")
        self._name = uuid.uuid4().hex  # so that what another process counted is something else
        self._count = 0
        self._last: Hashable = None
        self._lock = threading.Lock()
        self._of_some: OrderedDict[str, tuple[int, Hashable]] = OrderedDict()

    def state(self) -> tuple[Hashable, ...]:
        """Return what is another value once more is stored."""
        return self._name, self._asker.submit(self._look).result()

    def state_of(self, some: Store, query: Node) -> tuple[Hashable, ...]:
        """Return the state of a store of some of the runs, which match a query.

        It is looked at again only after more was stored in all.
        """
        whole = self._asker.submit(self._look).result()
        key = repr(query)
        with self._lock:
            count, state = self._of_some.get(key, (None, None))
        if count != whole:
            state = some.state()
            with self._lock:
                self._of_some[key] = whole, state
                self._of_some.move_to_end(key)
                while len(self._of_some) > _REMEMBERED:
                    self._of_some.popitem(last=False)
        return (state,)

    def _look(self) -> int:
        state = self._store.state()
        if state != self._last:
            self._count, self._last = self._count + 1, state
        return self._count
