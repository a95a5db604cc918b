"""The import path of databroker 1.x for handlers."""
