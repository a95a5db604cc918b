"""Data that documents only point to: found, opened, read lazily, listed and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .registry import Registry

if TYPE_CHECKING:
    from .files.atomic_copy import CopyDiffers, CopyFailed, CopyRefused
    from .files.copying import Copied, OutsideOfRoot, copy_run
    from .files.listing import ExternalFile, external_files
    from .formats.frames import Frames
    from .readers.external_array import ExternalArray
    from .readers.filling import Filler, external_fields, fields_to_fill

__all__ = [
    "Copied",
    "CopyDiffers",
    "CopyFailed",
    "CopyRefused",
    "ExternalArray",
    "ExternalFile",
    "Filler",
    "Frames",
    "OutsideOfRoot",
    "Registry",
    "copy_run",
    "external_fields",
    "external_files",
    "fields_to_fill",
]

_HOMES = {
    "Copied": "files.copying",
    "CopyDiffers": "files.atomic_copy",
    "CopyFailed": "files.atomic_copy",
    "CopyRefused": "files.atomic_copy",
    "ExternalArray": "readers.external_array",
    "ExternalFile": "files.listing",
    "Filler": "readers.filling",
    "Frames": "formats.frames",
    "OutsideOfRoot": "files.copying",
    "copy_run": "files.copying",
    "external_fields": "readers.filling",
    "external_files": "files.listing",
    "fields_to_fill": "readers.filling",
}


def __getattr__(name: str) -> Any:
    # A broker needs the registry only; pyarrow and the rest come with what reads.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
