"""The import path of databroker 1.x for catalogs in memory."""

from .v1.catalogs import BlueskyInMemoryCatalog as BlueskyInMemoryCatalog
