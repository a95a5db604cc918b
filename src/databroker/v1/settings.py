"""Handlers and transforms in the forms in which programs for databroker 1.x pass them about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from .._util.printable import shown
from .._util.signals import not_from_signal
from .._util.user_warnings import warn_user
from ..errors import InvalidConfiguration, NotSupported
from ..external.handlers.offered import FALLBACKS, GROUP, successor
from ..external.import_path import imported
from ..external.registry import Registry

_TRANSFORMED = ("start", "stop", "resource", "descriptor")


def discover_handlers(
    entrypoint_group_name: str = GROUP, skip_failures: bool = True
) -> dict[str, Any]:
    """Return the handlers by spec that installed packages offer, and databroker's own.

    Parameters
    ----------
    entrypoint_group_name
        Under which packages offer them.
    skip_failures
        Whether to leave out, with a warning, those that cannot be imported.

    Examples
    --------
    >>> discover_handlers()["npy"]
    <class 'databroker.external.handlers.builtin.NumpyFile'>
    """
    from importlib.metadata import entry_points

    own = FALLBACKS if entrypoint_group_name == GROUP else {}
    offered = {entry.name: entry.value for entry in entry_points(group=entrypoint_group_name)}
    found: dict[str, Any] = {}
    for spec, target in {**own, **offered}.items():
        try:
            found |= parse_handler_registry({spec: target})
        except not_from_signal(Exception) as error:  # somebody else's package
            if not skip_failures:
                raise
            warn_user(f"The handler {target} is skipped: {error!r}")
    return found


def parse_handler_registry(handler_registry: Mapping[str, Any]) -> dict[str, Any]:
    """Return handlers by spec, each that is named by its path imported.

    Parameters
    ----------
    handler_registry
        By spec: a class, or where it is, as 'module.Class' or 'module:Class'.

    Raises
    ------
    InvalidConfiguration
        There is no such thing to import.

    Examples
    --------
    >>> parse_handler_registry({"JSON": "json.JSONDecoder"})
    {'JSON': <class 'json.decoder.JSONDecoder'>}
    """
    return {
        spec: imported(successor(target), f"handlers: {spec}")
        for spec, target in handler_registry.items()
    }


def register_builtin_handlers(reg: Registry) -> None:
    """Register every handler on offer, for the specs that have none.

    Only a broker that was made with ``auto_register=False`` needs it.

    Parameters
    ----------
    reg
        As ``db.reg``.

    Examples
    --------
    >>> reg = Registry(discover=False)
    >>> register_builtin_handlers(reg)
    >>> "npy" in reg.handler_reg
    True
    """
    for spec, handler in discover_handlers().items():
        if spec not in reg.handler_reg:
            reg.register_handler(spec, handler)


def parse_transforms(transforms: Mapping[str, Any] | None) -> dict[str, Callable[[Any], Any]]:
    """Return a function for each kind of document that can be transformed.

    Parameters
    ----------
    transforms
        By kind ('start', 'stop', 'resource', 'descriptor'): a function from a document to a
        document, or where it is; None for none at all.

    Raises
    ------
    NotSupported
        Documents of another kind cannot be transformed.
    InvalidConfiguration
        It is no mapping, or names what cannot be imported.

    Examples
    --------
    >>> sorted(parse_transforms(None)), parse_transforms(None)["start"]({"uid": "a"})
    (['descriptor', 'resource', 'start', 'stop'], {'uid': 'a'})
    """
    if not isinstance(transforms, Mapping | None):
        raise InvalidConfiguration(
            f"Transforms are functions by the kind of document, not {shown(transforms)}."
        )
    given = dict(transforms or {})
    for kind in given:
        if kind not in _TRANSFORMED:
            raise NotSupported(
                f"Documents of the kind {shown(kind)} cannot be transformed, only those of "
                f"{', '.join(_TRANSFORMED)}."
            )
    return {
        kind: imported(given.get(kind) or _unchanged, f"transforms: {kind}")
        for kind in _TRANSFORMED
    }


def retry(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method of a catalog try once more after ``force_reload``.

    Examples
    --------
    >>> class Runs:
    ...     there = False
    ...     def force_reload(self):
    ...         self.there = True
    ...     @retry
    ...     def look(self):
    ...         return {True: "found"}[self.there]
    >>> Runs().look()
    'found'
    """

    @wraps(function)
    def again(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(self, *args, **kwargs)
        except not_from_signal(Exception):  # whatever the method raises, as in databroker 1.x
            self.force_reload()
            return function(self, *args, **kwargs)

    return again


def _unchanged(document: Any) -> Any:
    return document
