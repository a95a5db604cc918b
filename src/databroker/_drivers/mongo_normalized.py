"""The import path of databroker 1.x for catalogs in MongoDB."""

from ..v1.drivers import BlueskyMongoCatalog

__all__ = ["BlueskyMongoCatalog"]
