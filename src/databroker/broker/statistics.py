"""What a broker has, in numbers, whether or not the server of its store is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._util.signals import suppressed
from ..errors import StoreUnavailable
from ..query.nodes import Everything

if TYPE_CHECKING:
    from .broker import Broker


def statistics(broker: Broker) -> dict[str, Any]:
    """Return the store, its runs and bytes (None if not known), and what waits for its server.

    Examples
    --------
    >>> from databroker import Broker
    >>> statistics(Broker.from_config({"driver": "memory"}))
    {'store': 'memory of this process', 'runs': 0, 'bytes': None, 'waiting': 0, 'refused': []}
    """
    runs = size = None
    with suppressed(StoreUnavailable):
        broker.store.reach()  # which is not tried again and again
        runs, size = broker.view.count(Everything()), broker.store.size()
    waiting = broker.store.waiting()
    return {
        "store": str(broker.store),
        "runs": runs,
        "bytes": size,
        "waiting": waiting.documents,
        "refused": [*waiting.refused],
    }
