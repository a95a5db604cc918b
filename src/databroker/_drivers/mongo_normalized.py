"""The import path of databroker 1.x for catalogs in MongoDB."""

from ..v1.catalogs import BlueskyMongoCatalog as BlueskyMongoCatalog
