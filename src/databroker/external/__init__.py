"""Data that documents only point to: found, opened, read lazily, listed and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names
from ..errors import CopyDiffers, CopyFailed, CopyRefused, OutsideOfRoot

if TYPE_CHECKING:
    from ..stores.external import ExternalFile
    from .fields.filler import Filler
    from .fields.filling import external_fields
    from .fields.lazy_array import LazyArray
    from .files.copying import Copied, copy_run
    from .files.listing import external_files
    from .readers.base import FrameReader
    from .registry import Registry

__all__ = [
    "Copied",
    "CopyDiffers",
    "CopyFailed",
    "CopyRefused",
    "ExternalFile",
    "Filler",
    "FrameReader",
    "LazyArray",
    "OutsideOfRoot",
    "Registry",
    "copy_run",
    "external_fields",
    "external_files",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Copied": ".files.copying",
        "LazyArray": ".fields.lazy_array",
        "ExternalFile": "..stores.external",
        "Filler": ".fields.filler",
        "FrameReader": ".readers.base",
        "Registry": ".registry",
        "copy_run": ".files.copying",
        "external_fields": ".fields.filling",
        "external_files": ".files.listing",
    },
)
