"""What a broker knows about external data: handlers, and where files are now.

The handler of a spec is looked up among, in this order: what was registered, or named in the
configuration; what installed packages offer as entry points; what databroker itself has.
Nothing is imported before it is needed.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._util.printable import printable
from ..errors import DuplicateHandler, NoHandler
from .handler_cache import OPEN, identity
from .handlers.offered import FALLBACKS, offered_handler, offered_specs, successor
from .import_path import imported

if TYPE_CHECKING:
    from .locate import Guard
    from .references import DataReference, Place

_ELSEWHERE = ("AD_", "XSP3", "XPS3_FLY", "TPX_HDF5", "IMM", "MERLIN_FLY", "DEXELA_FLY", "SPECS_")
"""How specs begin that the package area-detector-handlers opens."""


class Registry:
    """What a broker knows about external data; obtained as ``db.reg``.

    Parameters
    ----------
    handlers
        By spec: a class, or where it is, as 'module:Class' or 'module.Class'.
    root_map
        The folder in which files are now, by the root under which they were recorded.
    discover
        Whether to use the handlers that installed packages offer, and our own, too.
    allowed_roots
        The only folders from which files may be read; none means any.
    above
        The registry of all sources, if this is that of one: what was registered there, or stands
        in its maps, counts first; its allowed roots count where there are none here.

    Attributes
    ----------
    root_map
        As above. Changes apply at once, to headers already in hand too.
    mimetypes
        What opens the stream resources of a mimetype, beside what is built in: a class or
        function, or where it is; see `databroker.external.readers.base`.

    Examples
    --------
    >>> class Handler:
    ...     def __init__(self, path, **kwargs): ...
    >>> reg = Registry(discover=False)
    >>> reg.register_handler("LAB", Handler)
    >>> dict(reg.handler_reg) == {"LAB": Handler}
    True
    >>> reg.root_map["/data"] = "/mnt/data"
    >>> reg.place({"root": "/data", "resource_path": "a.h5"}).path
    '/mnt/data/a.h5'
    """

    def __init__(
        self,
        handlers: Mapping[str, Any] | None = None,
        root_map: Mapping[str, str] | None = None,
        discover: bool = True,
        allowed_roots: Iterable[str] = (),
        above: Registry | None = None,
    ) -> None:
        self._above = above
        self._handlers: dict[str, Any] = dict(handlers or {})
        self._removed: set[str] = set()
        self._discover = discover
        self.root_map: dict[str, str] = dict(root_map or {})
        self.mimetypes: dict[str, Any] = {}
        self._allowed = tuple(allowed_roots)
        self._token = uuid.uuid4().hex

    @property
    def roots(self) -> dict[str, str]:
        """The root map with what that of all sources says."""
        return self.root_map if self._above is None else self.root_map | self._above.roots

    @property
    def readers(self) -> dict[str, Any]:
        """What opens each mimetype, with what all sources have for it."""
        return self.mimetypes if self._above is None else self.mimetypes | self._above.readers

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
        if known is None and self._offers(spec) and spec in FALLBACKS:
            known = imported(FALLBACKS[spec], f"handlers: {spec}")
        if known is None:
            raise _no_handler(spec, reference)
        return known

    @property
    def guard(self) -> Guard:
        """What tells whether a file may be read."""
        from .locate import Guard

        return Guard(self._allowed_roots, map(str, self.roots.values()))

    @property
    def _allowed_roots(self) -> tuple[str, ...]:
        return self._allowed or (() if self._above is None else self._above._allowed_roots)

    def place(self, document: Mapping[str, Any], reference: DataReference | None = None) -> Place:
        """Return where the file of a resource or stream resource is now.

        Raises
        ------
        FileRefused
            That is outside of the allowed roots.
        """
        from .locate import place_of

        place = place_of(document, self.roots)
        self.guard.check(place.path, reference, place)
        return place

    def reaches(self, document: Mapping[str, Any]) -> bool:
        """Tell whether the root map leads to a file, or files, here that may be read."""
        from .locate import is_there, place_of

        place = place_of(document, self.roots) if self.roots else None
        return (
            place is not None
            and place.mapped is not None
            and self.guard.allows(place.path)
            and is_there(place.path)
        )

    @contextlib.contextmanager
    def opened(self, resource: Mapping[str, Any], reference: DataReference) -> Iterator[Any]:
        """Lend the handler of a resource for the length of a ``with`` block.

        Raises
        ------
        NoHandler
            There is none for its spec.
        ExternalDataMissing
            Its file cannot be opened.
        """
        from .handlers.builtin import replacement_for
        from .readers.hdf5_files import check_links

        chosen = self.handler(str(resource.get("spec")), reference)
        used = replacement_for(chosen)
        kwargs = dict(resource.get("resource_kwargs") or {})

        def make(path: str, guard: Guard) -> Any:
            if getattr(used, "takes_guard", False):
                return used(path, guard=guard, **kwargs)
            check_links(guard, path)
            return used(path, **kwargs)

        by = f"the handler {getattr(chosen, '__name__', chosen)}"
        with lend(self, resource, used, kwargs, make, reference, by) as handler:
            yield handler

    def close(self) -> None:
        """Close the files that were opened for this registry. It can be used again."""
        OPEN.close(lambda key: isinstance(key, tuple) and key[0] == self._token)

    def _registered(self, spec: str) -> Any:
        """Return what was registered, or named in a configuration; None if nothing was."""
        theirs = None if self._above is None else self._above._registered(spec)
        return self._handlers.get(spec) if theirs is None else theirs

    def _specs(self) -> list[str]:
        theirs = () if self._above is None else self._above._handlers
        known = [*theirs, *self._handlers, *filter(self._offers, offered_specs())]
        return list(dict.fromkeys(known))

    def _offers(self, spec: str) -> bool:
        """Tell whether a handler that is on offer may be used."""
        theirs = frozenset() if self._above is None else self._above._removed
        return self._discover and spec not in self._removed | theirs

    def _known(self, spec: str) -> Any:
        """Return a handler that somebody chose; None if there is none but perhaps our own."""
        if (target := self._registered(spec)) is not None:
            return imported(successor(target), f"handlers: {spec}")
        return offered_handler(spec) if self._offers(spec) else None


@contextlib.contextmanager
def lend(
    registry: Registry,
    document: Mapping[str, Any],
    opener: Any,
    arguments: Any,
    make: Callable[[str, Guard], Any],
    reference: DataReference,
    by: str = "",
) -> Iterator[Any]:
    """Lend what reads the file of a document; it is made with `make` if it is not open yet."""
    from .references import explained

    place, guard = registry.place(document, reference), registry.guard
    # What was opened before is not for us where root map, handler, file or document are others:
    # brokers that share a registry may have the same resource with other arguments.
    file = (place.path, identity(place.path))
    key = (registry._token, str(document.get("uid")), opener, file, repr(arguments))
    shared = bool(getattr(opener, "thread_safe", False))
    with (
        explained(reference, place, by),
        OPEN.acquire(key, lambda: make(place.path, guard), shared) as lent,
    ):
        yield lent


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
        f"configuration under 'handlers', in Python by db.reg.register_handler({spec!r}, "
        "YourHandler)."
    )
