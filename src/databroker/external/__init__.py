"""Data that documents only point to: found, opened, read lazily, listed and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .registry import Registry

if TYPE_CHECKING:
    from .files.carrying import CopyDiffers, CopyFailed, CopyRefused
    from .files.copying import Copied, OutsideOfRoot, copy_run
    from .files.listing import ExternalFile, external_files
    from .formats.frames import Frames
    from .reading.filling import Filler, external_fields, fields_to_fill
    from .reading.lazy import ExternalArray

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
    "CopyDiffers": "files.carrying",
    "CopyFailed": "files.carrying",
    "CopyRefused": "files.carrying",
    "ExternalArray": "reading.lazy",
    "ExternalFile": "files.listing",
    "Filler": "reading.filling",
    "Frames": "formats.frames",
    "OutsideOfRoot": "files.copying",
    "copy_run": "files.copying",
    "external_fields": "reading.filling",
    "external_files": "files.listing",
    "fields_to_fill": "reading.filling",
}


def __getattr__(name: str) -> Any:
    # A broker needs the registry only; pyarrow and the rest come with what reads.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
