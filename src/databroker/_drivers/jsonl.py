"""The import path of databroker 1.x for catalogs in files of JSON lines."""

from ..v1.catalogs import BlueskyJSONLCatalog as BlueskyJSONLCatalog
