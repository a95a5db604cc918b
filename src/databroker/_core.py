"""An import path of databroker 1.x that programs reach for, private as it is."""

from .documents.readonly import ALL
from .header import Header
from .header.images import Images
from .results import Results
from .utils import get_fields
from .v2.settings import register_builtin_handlers

__all__ = ["ALL", "Header", "Images", "Results", "get_fields", "register_builtin_handlers"]
