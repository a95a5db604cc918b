"""The import path of databroker 1.x for flows of documents that are merged."""

from ..v1.pivot import interlace_gens as interlace_gens
