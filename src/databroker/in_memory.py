"""The import path of databroker 1.x for catalogs in memory."""

from .v2.drivers import BlueskyInMemoryCatalog

__all__ = ["BlueskyInMemoryCatalog"]
