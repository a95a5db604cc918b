"""The import path of databroker 1.x for catalogs in memory."""

from .v1.drivers import BlueskyInMemoryCatalog as BlueskyInMemoryCatalog
