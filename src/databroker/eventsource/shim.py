"""The import path of databroker 1.x for flows of documents that are merged."""

from ..v1.pivot import interlace_gens

__all__ = ["interlace_gens"]
