"""Which class opens which kind of resource.

A spec is looked up among, in this order: what was registered, or named in the
configuration; what installed packages offer as entry points; what databroker
itself has. Nothing is imported before it is needed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._util.printable import printable
from ..._util.signals import from_signal
from ..._util.user_warnings import warn_user
from ...errors import DuplicateHandler, NoHandler
from ..import_path import imported
from ..references import DataReference

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["FALLBACKS", "GROUP", "SUCCESSORS", "HandlerRegistry", "successor"]

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

_ELSEWHERE = ("AD_", "XSP3", "XPS3_FLY", "TPX_HDF5", "IMM", "MERLIN_FLY", "DEXELA_FLY", "SPECS_")
"""How specs begin that the package area-detector-handlers opens."""


class HandlerRegistry:
    """Handlers by spec.

    Examples
    --------
    >>> class Handler:
    ...     def __init__(self, path, **kwargs): ...
    >>> registry = HandlerRegistry({"JSON": "json.JSONDecoder"}, discover=False)
    >>> registry.register_handler("LAB", Handler)
    >>> list(registry.handler_reg), registry.handler_reg["JSON"].__name__
    (['JSON', 'LAB'], 'JSONDecoder')
    >>> registry.deregister_handler("LAB")
    >>> "LAB" in registry.handler_reg
    False
    """

    def __init__(self, handlers: Mapping[str, Any] | None = None, discover: bool = True) -> None:
        self._handlers: dict[str, Any] = dict(handlers or {})
        self._removed: set[str] = set()
        self._discover = discover

    @property
    def handler_reg(self) -> Mapping[str, Any]:
        """The handler of each spec: a mapping to look at, always current."""
        return _View(self._specs, self.handler)

    def register_handler(self, key: str, handler: Any, overwrite: bool = False) -> None:
        """Say which handler opens the resources of a spec.

        Parameters
        ----------
        key
            The spec.
        handler
            A class, or where it is, as 'module:Class'. Called with the path of a file and
            the resource's arguments, it gives an object that is called with a datum's
            arguments. If it has an attribute ``thread_safe = True``, one object may be
            called by several threads at a time.
        overwrite
            Whether it may take the place of another one.

        Raises
        ------
        DuplicateHandler
            The spec has another handler (a RuntimeError, as in databroker 1.x).
        """
        known = None if overwrite else self._known(key)
        if known is not None and known is not imported(handler, f"handlers: {key}"):
            raise DuplicateHandler(
                f"The spec {key!r} has a handler already, {known!r}. "
                "With overwrite=True, the new one takes its place."
            )
        self._handlers[key] = handler

    def deregister_handler(self, key: str) -> None:
        """Forget the handler of a spec, if there is one."""
        self._handlers.pop(key, None)
        self._removed.add(key)

    def handler(self, spec: str, reference: DataReference | None = None) -> Any:
        """Return the handler of a spec."""
        known = self._known(spec)
        if known is not None:
            return known
        own = FALLBACKS.get(spec) if self._discover and spec not in self._removed else None
        if own is None:
            raise _no_handler(spec, reference)
        return imported(own, f"handlers: {spec}")

    def _specs(self) -> list[str]:
        offered = [*_offered(), *FALLBACKS] if self._discover else []
        return list(
            dict.fromkeys([*self._handlers, *(s for s in offered if s not in self._removed)])
        )

    def _known(self, spec: str) -> Any:
        """Return a handler that somebody chose; None if there is none but perhaps our own."""
        target = self._handlers.get(spec)
        if target is not None:
            return imported(successor(target), f"handlers: {spec}")
        return _loaded(spec) if self._discover and spec not in self._removed else None


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


class _View(Mapping[str, Any]):
    """Handlers by spec, each imported when it is looked at."""

    def __init__(self, specs: Callable[[], list[str]], handler: Callable[[str], Any]) -> None:
        self._specs = specs
        self._handler = handler

    def __getitem__(self, spec: str) -> Any:
        return self._handler(spec)

    def __contains__(self, spec: object) -> bool:
        return spec in self._specs()

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs())

    def __len__(self) -> int:
        return len(self._specs())

    def __repr__(self) -> str:
        return printable(f"<handlers for: {', '.join(self) or 'nothing'}>", lines=False)


def _no_handler(spec: str, reference: DataReference | None) -> NoHandler:
    who = f"{reference}: no" if reference is not None else "No"
    package = "a package that offers one"
    if spec.startswith(_ELSEWHERE):
        package = "the one that knows it: pip install 'databroker[images]'"
    return NoHandler(
        f"{who} handler is known for the spec {spec!r}. Install {package}; or name one in the "
        f"configuration under 'handlers'; or use db.reg.register_handler({spec!r}, YourHandler)."
    )


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


@functools.cache
def _loaded(spec: str) -> Any:
    """Return the first handler on offer that can be imported, or None."""
    for entry in _offered().get(spec, ()):
        try:
            return entry.load()
        except Exception as error:  # whatever the import of somebody else's package raises
            if from_signal(error):
                raise
            warn_user(
                f"The handler {entry.value} for the spec {spec!r} cannot be loaded and is "
                f"skipped: {error!r}"
            )
    return None
