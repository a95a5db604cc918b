"""Handlers: what opens the resources of a spec, and databroker's own ones."""
