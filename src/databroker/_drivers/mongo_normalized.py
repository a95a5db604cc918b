"""The import path of databroker 1.x for catalogs in MongoDB."""

from ..v1.drivers import BlueskyMongoCatalog as BlueskyMongoCatalog
