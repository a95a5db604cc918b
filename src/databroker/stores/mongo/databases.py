"""The databases of a store: mostly one, in which all is."""

from __future__ import annotations

from .database import Database
from .layout import Place


class Databases:
    """Those in which the metadata and the assets are."""

    def __init__(self, metadata: Database, assets: Database) -> None:
        self.metadata, self.assets = metadata, assets

    def of(self, place: Place) -> Database:
        """Return the database in which a collection is."""
        return self.metadata if place.part == "metadata" else self.assets

    def all(self) -> list[Database]:
        """Return each once."""
        return [self.metadata] if self.assets is self.metadata else [self.metadata, self.assets]
