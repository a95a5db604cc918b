"""Which handler opens which kind of resource, and where files are now."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import DuplicateHandler, NoHandler, NotSupported
from .importing import imported

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "Registry"]

GROUP = "databroker.handlers"
"""The entry points by which installed packages offer handlers; the name is the spec."""


class Registry:
    """What a broker knows about external data; obtained as ``db.reg``.

    Parameters
    ----------
    handlers
        By spec: a class, or where it is, as 'module:Class'.
    root_map
        The folder in which files are now, by the root under which they were recorded.
    discover
        Whether to use the handlers that installed packages offer, too.

    Attributes
    ----------
    root_map
        As above. Changes apply at once.

    Examples
    --------
    >>> class Handler:
    ...     def __init__(self, path, **kwargs): ...
    >>> reg = Registry(discover=False)
    >>> reg.register_handler("LAB", Handler)
    >>> dict(reg.handler_reg) == {"LAB": Handler}
    True
    """

    def __init__(
        self,
        handlers: Mapping[str, Any] | None = None,
        root_map: Mapping[str, str] | None = None,
        discover: bool = True,
    ) -> None:
        self.root_map: dict[str, str] = dict(root_map or {})
        self._handlers: dict[str, Any] = dict(handlers or {})
        self._removed: set[str] = set()
        self._discover = discover

    @property
    def handler_reg(self) -> Mapping[str, Any]:
        """The handler of each spec: a mapping to look at, always current."""
        return _Handlers(self._specs, self._handler)

    def register_handler(self, key: str, handler: Any, overwrite: bool = False) -> None:
        """Say which handler opens the resources of a spec.

        Parameters
        ----------
        key
            The spec.
        handler
            A class: called with the path of a file and the resource's arguments, it
            gives an object that is called with a datum's arguments.
        overwrite
            Whether it may take the place of another one.

        Raises
        ------
        DuplicateHandler
            The spec has another handler (a RuntimeError, as in databroker 1.x).
        """
        known = None if overwrite else self.handler_reg.get(key)
        if known is not None and known is not handler:
            raise DuplicateHandler(
                f"The spec {key!r} has a handler already, {known!r}. "
                "With overwrite=True, the new one takes its place."
            )
        self._handlers[key] = handler

    def deregister_handler(self, key: str) -> None:
        """Forget the handler of a spec, if there is one."""
        self._handlers.pop(key, None)
        self._removed.add(key)

    def copy_files(
        self,
        resource: Any,
        new_root: str,
        verify: bool = False,
        file_rename_hook: Callable[..., Any] | None = None,
        run_start_uid: str | None = None,
    ) -> Iterator[tuple[str, str]]:
        """Copy the files of a resource below a new root (not in this version)."""
        if verify:
            raise NotSupported("Copied files cannot be verified.")
        raise NotSupported("Copying the files of a resource comes with a later version.")

    def _specs(self) -> list[str]:
        offered = _offered() if self._discover else {}
        hidden = {*self._handlers, *self._removed}
        return [*self._handlers, *(spec for spec in offered if spec not in hidden)]

    def _handler(self, spec: str) -> Any:
        target = self._handlers.get(spec)
        if target is not None:
            return imported(target, f"handlers: {spec}")
        entry = _offered().get(spec) if self._discover and spec not in self._removed else None
        if entry is None:
            raise NoHandler(
                f"No handler is known for the spec {spec!r}. Install a package that offers one, "
                "name one in the configuration under 'handlers', or use db.reg.register_handler."
            )
        try:
            return entry.load()
        except Exception as error:  # whatever the import of somebody else's package raises
            raise NoHandler(
                f"The handler for the spec {spec!r}, {entry.value!r}, cannot be loaded: {error!r}."
            ) from error


class _Handlers(Mapping[str, Any]):
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
        return f"<handlers for: {', '.join(self) or 'nothing'}>"


@functools.cache
def _offered() -> Mapping[str, EntryPoint]:
    """Return what installed packages offer, by spec. Nothing of them is imported."""
    from importlib.metadata import entry_points

    return _first_of_each(entry_points(group=GROUP))


def _first_of_each(entries: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entries:
        first = found.setdefault(entry.name, entry)
        if first.value != entry.value:
            warnings.warn(
                f"Several packages offer a handler for the spec {entry.name!r}: "
                f"{first.value} is used, {entry.value} is not.",
                UserWarning,
                stacklevel=2,
            )
    return found


# Users and their tools know the class under this name.
Registry.__module__ = "databroker.v1"
