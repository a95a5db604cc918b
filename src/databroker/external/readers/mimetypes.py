"""Which class reads the files of a mimetype."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import NoHandler
from ..import_path import imported
from ..references import DataReference

_HERE = "databroker.external.readers"
_IMAGES = ("*", "jpeg", "png", "tiff", "x-cbf", "x-edf", "x-marccd", "x-spe")

MIMETYPES: Mapping[str, str] = {
    "application/x-hdf5": f"{_HERE}.hdf5:Hdf5Reader",
    "application/x-npy": f"{_HERE}.npy:NpyReader",
    "application/x-zarr": f"{_HERE}.zarr:ZarrReader",
    "multipart/related;type=application/x-npy": f"{_HERE}.npy:NpySequence",
    **dict.fromkeys(
        [f"multipart/related;type=image/{name}" for name in _IMAGES],
        f"{_HERE}.numbered_files:ImageSequence",
    ),
    **dict.fromkeys([f"image/{name}" for name in _IMAGES[4:]], f"{_HERE}.images:FabioReader"),
    **dict.fromkeys(
        ["text/csv", "text/csv;header=absent", "text/csv;header=present"],
        f"{_HERE}.csv:CsvReader",
    ),
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
            f"{reference}: nothing is known that reads the mimetype {mimetype!r}. Say what does, "
            f"in Python: db.reg.mimetypes[{mimetype!r}] = 'your_module:YourReader'."
        )
    return imported(target, f"mimetypes: {mimetype}")
