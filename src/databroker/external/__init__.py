"""Data that documents only point to: found, opened, read lazily, listed and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .registry import Registry

if TYPE_CHECKING:
    from .carrying import CopyDiffers, CopyFailed, CopyRefused
    from .copying import Copied, OutsideOfRoot, copy_run
    from .files import ExternalFile, external_files
    from .filling import Filler, external_fields, fields_to_fill
    from .lazy import ExternalArray, datum_array, streamed_array

__all__ = [
    "Copied",
    "CopyDiffers",
    "CopyFailed",
    "CopyRefused",
    "ExternalArray",
    "ExternalFile",
    "Filler",
    "OutsideOfRoot",
    "Registry",
    "copy_run",
    "datum_array",
    "external_fields",
    "external_files",
    "fields_to_fill",
    "streamed_array",
]

_HOMES = {
    "Copied": "copying",
    "CopyDiffers": "carrying",
    "CopyFailed": "carrying",
    "CopyRefused": "carrying",
    "ExternalArray": "lazy",
    "ExternalFile": "files",
    "Filler": "filling",
    "OutsideOfRoot": "copying",
    "copy_run": "copying",
    "datum_array": "lazy",
    "external_fields": "filling",
    "external_files": "files",
    "fields_to_fill": "filling",
    "streamed_array": "lazy",
}


def __getattr__(name: str) -> Any:
    # A broker needs the registry only; pyarrow and the rest come with what reads.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
