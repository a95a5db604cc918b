"""The import paths of databroker 1.x for catalogs by their store."""
