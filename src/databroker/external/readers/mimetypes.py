"""Which class reads the files of a mimetype."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import NoHandler
from ..import_path import imported
from ..references import DataReference

__all__ = ["MIMETYPES", "reader_of"]

_HERE = "databroker.external.readers"
_TEXT = f"{_HERE}.csv:CsvReader"
_PICTURES = f"{_HERE}.numbered_files:PictureSequence"
_FABIO = {"x-cbf": "Cbf", "x-edf": "Edf", "x-marccd": "Mar", "x-spe": "Spe"}

MIMETYPES: Mapping[str, str] = {
    "application/x-hdf5": f"{_HERE}.hdf5:Hdf5Reader",
    "application/x-npy": f"{_HERE}.npy:NpyReader",
    "application/x-zarr": f"{_HERE}.zarr:ZarrReader",
    "multipart/related;type=application/x-npy": f"{_HERE}.npy:NpySequence",
    "multipart/related;type=image/*": _PICTURES,
    "multipart/related;type=image/jpeg": _PICTURES,
    "multipart/related;type=image/png": _PICTURES,
    "multipart/related;type=image/tiff": f"{_HERE}.numbered_files:TiffSequence",
    "text/csv": _TEXT,
    "text/csv;header=absent": _TEXT,
    "text/csv;header=present": _TEXT,
    **{f"image/{name}": f"{_HERE}.fabio:{each}Reader" for name, each in _FABIO.items()},
    **{
        f"multipart/related;type=image/{name}": f"{_HERE}.fabio:{each}Sequence"
        for name, each in _FABIO.items()
    },
}
"""What reads each mimetype."""


def reader_of(
    mimetype: str,
    more: Mapping[str, Any] | None = None,
    reference: DataReference | None = None,
) -> Any:
    """Return what reads a mimetype; what a registry has of its own (`more`) comes first."""
    target = (more or {}).get(mimetype, MIMETYPES.get(mimetype))
    if target is None:
        raise NoHandler(
            f"{reference}: nothing is known that reads the mimetype {mimetype!r}. Say what does: "
            f"db.reg.mimetypes[{mimetype!r}] = 'your_module:YourReader'."
        )
    return imported(target, f"mimetypes: {mimetype}")
