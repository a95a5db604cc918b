"""A first look at the data of a run: ``header.preview()``."""

from .preview import Preview, make_preview

__all__ = ["Preview", "make_preview"]
