"""The handlers on offer by spec: what installed packages have, and databroker itself."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..._util.signals import not_from_signal
from ..._util.user_warnings import warn_user

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "databroker.handlers"
"""The entry points by which installed packages offer handlers; the name is the spec."""

_OWN = "databroker.external.handlers.builtin"
_OLD = "databroker.assets.handlers"
_NEW = "area_detector_handlers.handlers"

FALLBACKS: Mapping[str, str] = {
    "NPY_SEQ": f"{_OWN}:NumpySequence",
    "npy": f"{_OWN}:NumpyFile",
    "npy_FRAMEWISE": f"{_OWN}:NumpyFrames",
    "SINGLE_TIFF": f"{_OWN}:SingleImage",
    "IMAGE_SEQ": f"{_OWN}:ImageSequence",
    "AD_CBF": f"{_OWN}:PilatusCbf",
    "AD_SPE": f"{_OWN}:SpeSequence",
    "DAT": f"{_OWN}:TextFile",
    "CSV": f"{_OWN}:CsvFile",
    "HDF5": f"{_OWN}:Hdf5Slices",
    "AD_HDF5": f"{_OWN}:AreaDetectorHdf5",
    "AD_HDF5_SWMR": f"{_OWN}:AreaDetectorHdf5Swmr",
    "MAPS_SPECTRUM": f"{_OWN}:MapsSpectrum",
    "MAPS_PLANE": f"{_OWN}:MapsPlane",
}
"""Our own handlers, which give way to any other."""

SUCCESSORS: Mapping[str, str] = {
    "NpyHandler": FALLBACKS["npy"],
    "NpyFrameWise": FALLBACKS["npy_FRAMEWISE"],
    "SingleTiffHandler": FALLBACKS["SINGLE_TIFF"],
    "DATHandler": FALLBACKS["DAT"],
    "HDFMapsSpectrumHandler": FALLBACKS["MAPS_SPECTRUM"],
    "HDFMapsEnergyHandler": FALLBACKS["MAPS_PLANE"],
    "HDF5DatasetSliceHandler": FALLBACKS["HDF5"],
    "AreaDetectorHDF5Handler": FALLBACKS["AD_HDF5"],
    "AreaDetectorHDF5SWMRHandler": FALLBACKS["AD_HDF5_SWMR"],
}
"""Handlers of databroker 1.x whose successor is one of ours, by the name of the class."""


def successor(target: Any) -> Any:
    """Return where a handler lives now that old configurations name by its old place.

    Examples
    --------
    >>> successor("databroker.assets.handlers.AreaDetectorTiffHandler")
    'area_detector_handlers.handlers:AreaDetectorTiffHandler'
    >>> successor("databroker.assets.handlers:NpyHandler")
    'databroker.external.handlers.builtin:NumpyFile'
    >>> successor("my_lab.handlers:Handler")
    'my_lab.handlers:Handler'
    """
    if not isinstance(target, str) or not target.startswith(_OLD):
        return target
    name = target[len(_OLD) :].lstrip(".:")
    return SUCCESSORS.get(name, f"{_NEW}:{name}")


def offered_specs() -> list[str]:
    """Return the specs that have a handler on offer."""
    return list(dict.fromkeys([*_offered(), *FALLBACKS]))


@functools.cache
def offered_handler(spec: str) -> Any:
    """Return the first handler of other packages that can be imported, or None."""
    for entry in _offered().get(spec, ()):
        try:
            return entry.load()
        except not_from_signal(Exception) as error:  # somebody else's package
            warn_user(
                f"The handler {entry.value} for the spec {spec!r} cannot be loaded and is "
                f"skipped: {error!r}"
            )
    return None


@functools.cache
def _offered() -> Mapping[str, list[EntryPoint]]:
    """Return what installed packages offer, by spec. Nothing of them is imported."""
    from importlib.metadata import entry_points

    return _by_spec(entry_points(group=GROUP))


def _by_spec(entries: Iterable[EntryPoint]) -> dict[str, list[EntryPoint]]:
    by_spec: dict[str, list[EntryPoint]] = {}
    for entry in entries:
        same = by_spec.setdefault(entry.name, [])
        # The same package may be found twice, in two places of the path.
        if all(entry.value != other.value for other in same):
            same.append(entry)
    for spec, offers in by_spec.items():
        if len(offers) > 1:
            warn_user(
                f"Several packages offer a handler for the spec {spec!r}: {offers[0].value} is "
                f"used, {', '.join(entry.value for entry in offers[1:])} is not."
            )
    return by_spec
