"""What old resources and datums mean: a mimetype, its parameters, and which frames."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..fields.grouping import Grouping

Doc = Mapping[str, Any]
Frames = tuple[Grouping, int]

_HDF5 = "application/x-hdf5"
_NPY = "multipart/related;type=application/x-npy"

_STACKED = {"join_method": "stack", "varying": True}

ONE = Grouping(1, own_axis=False)
"""The value of a datum is a frame."""

ALL = Grouping(None)
"""It is all frames of the file."""


@dataclass(frozen=True)
class Spec:
    """How the resources and datums of a spec are read as stream resources are."""

    mimetype: str  # what is in the files
    # Turns `resource_kwargs` into the parameters of the mimetype.
    parameters: Callable[..., dict[str, Any]]
    # Turns those parameters, and `datum_kwargs`, into the frames of a datum: its number, where each
    # has as many frames as the grouping says.
    frames: Callable[..., Frames]


def _area_detector(dataset: str, swmr: bool = False) -> Callable[..., dict[str, Any]]:
    def parameters(frame_per_point: int = 1) -> dict[str, Any]:
        return {"dataset": dataset, "swmr": swmr, "multiplier": int(frame_per_point)}

    return parameters


def _hdf5(
    key: str = "", frame_per_point: int = 1, swmr: bool = False, dataset: str = ""
) -> dict[str, Any]:
    return {"dataset": key or dataset, "swmr": swmr, "multiplier": int(frame_per_point)}


def _numbered(template: str, filename: str = "", frame_per_point: int = 1) -> dict[str, Any]:
    # Area detectors have the folder in the template, too.
    names = {"template": template, "filename": filename, "with_folder": True}
    return {**names, "multiplier": int(frame_per_point), **_STACKED}


def _pilatus(
    template: str, filename: str = "", frame_per_point: int = 1, initial_number: int = 1
) -> dict[str, Any]:
    parameters = _numbered(template, filename, frame_per_point)
    return {**parameters, "first_number": int(initial_number)}


def _single(mmap_mode: str | None = None) -> dict[str, Any]:
    return {"template": "", **_STACKED}


def _points(
    parameters: Doc,
    point_number: int | None = None,
    frame: int | None = None,
    index: int | None = None,
) -> Frames:
    if point_number is not None:
        return Grouping(parameters["multiplier"], cut_short=True), int(point_number)
    single = frame if frame is not None else index
    return (ALL, 0) if single is None else (ONE, int(single))


def _point(parameters: Doc, point_number: int) -> Frames:
    return Grouping(parameters["multiplier"]), int(point_number)


def _squeezed(parameters: Doc, point_number: int) -> Frames:
    each = parameters["multiplier"]
    return Grouping(each, own_axis=each > 1), int(point_number)


SPECS: Mapping[str, Spec] = {
    "NPY_SEQ": Spec(
        _NPY,
        lambda root="": {"template": "_{:d}.npy", **_STACKED},
        lambda _, index: (ONE, int(index)),
    ),
    "npy": Spec(_NPY, _single, lambda _: (ONE, 0)),
    "npy_FRAMEWISE": Spec(
        "application/x-npy", lambda mmap_mode=None: {}, lambda _, frame_no: (ONE, int(frame_no))
    ),
    "SINGLE_TIFF": Spec("multipart/related;type=image/*", _single, lambda _: (ONE, 0)),
    "IMAGE_SEQ": Spec("multipart/related;type=image/*", _numbered, _point),
    "AD_CBF": Spec("multipart/related;type=image/x-cbf", _pilatus, _squeezed),
    "AD_SPE": Spec(
        "multipart/related;type=image/x-spe",
        _numbered,
        lambda _, point_number: (ONE, int(point_number)),
    ),
    "AD_TIFF": Spec("multipart/related;type=image/tiff", _numbered, _point),
    "HDF5": Spec(_HDF5, _hdf5, _points),
    "AD_HDF5": Spec(_HDF5, _area_detector("/entry/data/data"), _points),
    "AD_HDF5_SWMR": Spec(_HDF5, _area_detector("/entry/data/data", True), _points),
    "TPX_HDF5": Spec(_HDF5, _area_detector("/entry/instrument/detector/data"), _points),
}
"""By spec; what is no frames has a handler of its own, see `databroker.external.handlers`."""

_STREAMED = {
    "AD_TIFF": "multipart/related;type=image/tiff",
    "NPY_SEQ": _NPY,
    "PIZZABOX_ENC_FILE_TXT_PD": "text/csv",
    "ZARR": "application/x-zarr",
}
_STREAMED_HDF5 = re.compile(
    r"hdf5|.*HDF5.*|XSP3.*|XPS3.*|PANDA|EIGER2_STREAM|ROI_.*|MERLIN_FLY.*|SIS_.*", re.IGNORECASE
)


def mimetype_of(document: Doc) -> str:
    """Return the mimetype of a stream resource, older ones included, in its usual spelling.

    Examples
    --------
    >>> mimetype_of({"mimetype": "multipart/related; type=image/TIFF"})
    'multipart/related;type=image/tiff'
    >>> mimetype_of({"spec": "AD_HDF5_SWMR_SLICE"}), mimetype_of({"spec": "ODD"})
    ('application/x-hdf5', 'application/octet-stream')
    """
    if document.get("mimetype"):
        return str(document["mimetype"]).replace(" ", "").lower()
    spec = str(document.get("spec"))
    if spec in _STREAMED:
        return _STREAMED[spec]
    return _HDF5 if _STREAMED_HDF5.fullmatch(spec) else "application/octet-stream"
