"""The import path of databroker 1.x for catalogs in MongoDB, events in pages."""

from ..v1.catalogs import BlueskyMongoEmbeddedCatalog as BlueskyMongoCatalog

__all__ = ["BlueskyMongoCatalog"]
