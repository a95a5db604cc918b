"""The import path of databroker 1.x for catalogs in MessagePack files."""

from ..v1.drivers import BlueskyMsgpackCatalog as BlueskyMsgpackCatalog
