"""The import path of databroker 1.x for sources of events; what is left of it is in `shim`."""
