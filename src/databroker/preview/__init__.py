"""A first look at the data of a run: ``header.preview()``."""

from .making import make_preview
from .preview import Preview

__all__ = ["Preview", "make_preview"]
