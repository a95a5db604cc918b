"""The import path of databroker 1.x for catalogs in files of JSON lines."""

from ..v1.drivers import BlueskyJSONLCatalog as BlueskyJSONLCatalog
