"""What runs, streams and results know of the broker that they came from."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..stores.facts import run_status
from ..times import resolve_zone
from .store_view import StoreView
from .transforms import Transforms

if TYPE_CHECKING:
    from ..external.registry import Registry
    from ..query.nodes import Node
    from ..stores.base import Store


@dataclass(frozen=True)
class Session:
    """Where documents are, how they and their files are read, and how times are shown."""

    view: StoreView
    registry: Registry
    transforms: Transforms
    timezone: str | datetime.tzinfo | None = None
    configuration: str | None = None
    """The name of the configuration that says all this, if one does."""

    @property
    def store(self) -> Store:
        """The whole store, of which `view` may be a part."""
        return self.view.store

    @property
    def zone(self) -> datetime.tzinfo:
        """The time zone in which bounds are read and times are shown."""
        return resolve_zone(self.timezone)

    @property
    def stale_after(self) -> float:
        """Seconds after which a silent run no longer counts as running; searches ask, too."""
        return self.store.stale_after

    def narrowed(self, query: Node, limit: int | None = None) -> Session:
        """Return the same for those runs that match, the newest `limit` of them."""
        return replace(self, view=self.view.narrowed(query, limit))

    def status(self, uid: str, stop: Mapping[str, Any] | None) -> str:
        """Return how a run stands: 'success', 'abort', 'fail', 'running' or 'unknown'."""
        return run_status(self.store, uid, stop)
