"""The import path of databroker 1.x for catalogs in MessagePack files."""

from ..v1.catalogs import BlueskyMsgpackCatalog as BlueskyMsgpackCatalog
