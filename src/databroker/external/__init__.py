"""Data that documents only point to: found, opened, read lazily, listed and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names

if TYPE_CHECKING:
    from .fields.filler import Filler
    from .fields.filling import external_fields, fields_to_fill
    from .fields.lazy_array import LazyArray
    from .files.atomic_copy import CopyDiffers, CopyFailed, CopyRefused
    from .files.copying import Copied, OutsideOfRoot, copy_run
    from .files.listing import ExternalFile, external_files
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
    "fields_to_fill",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Copied": ".files.copying",
        "CopyDiffers": ".files.atomic_copy",
        "CopyFailed": ".files.atomic_copy",
        "CopyRefused": ".files.atomic_copy",
        "LazyArray": ".fields.lazy_array",
        "ExternalFile": ".files.listing",
        "Filler": ".fields.filler",
        "FrameReader": ".readers.base",
        "OutsideOfRoot": ".files.copying",
        "Registry": ".registry",
        "copy_run": ".files.copying",
        "external_fields": ".fields.filling",
        "external_files": ".files.listing",
        "fields_to_fill": ".fields.filling",
    },
)
