"""What a broker knows about external data: handlers, and where files are now."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from .._util.signals import from_signal
from ..errors import DatabrokerError
from .handler_cache import OPEN, identity
from .handlers.registry import HandlerRegistry
from .locate import Guard, Place, place_of
from .readers.hdf5_links import check_links
from .references import DataReference, data_error, with_context

__all__ = ["Registry"]


class Registry(HandlerRegistry):
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
    ) -> None:
        super().__init__(handlers, discover)
        self.root_map: dict[str, str] = dict(root_map or {})
        self.mimetypes: dict[str, Any] = {}
        self._allowed = tuple(allowed_roots)
        self._token = uuid.uuid4().hex

    @property
    def guard(self) -> Guard:
        """What tells whether a file may be read."""
        return Guard(self._allowed, map(str, self.root_map.values()))

    def place(self, document: Mapping[str, Any], reference: DataReference | None = None) -> Place:
        """Return where the file of a resource or stream resource is now.

        Raises
        ------
        FileRefused
            That is outside of the allowed roots.
        """
        place = place_of(document, self.root_map)
        self.guard.check(place.path, reference)
        return place

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

        chosen = self.handler(str(resource.get("spec")), reference)
        place = self.place(resource, reference)
        kwargs = dict(resource.get("resource_kwargs") or {})
        # What was opened before is not for us where root map, handler, file or document are others:
        # brokers that share a registry may have the same resource with other arguments.
        key = (str(resource.get("uid")), chosen, place.path, identity(place.path), repr(kwargs))
        used = replacement_for(chosen)

        def make() -> Any:
            guard = self.guard
            more = {"guard": guard} if getattr(used, "takes_guard", False) else {}
            try:
                if not more:
                    check_links(guard, place.path)
                return used(place.path, **kwargs, **more)
            except DatabrokerError as error:
                raise with_context(error, reference) from error.__cause__
            except Exception as error:
                if from_signal(error):
                    raise
                raise data_error(error, reference, place, _name(chosen)) from error

        with self.acquire(key, make, bool(getattr(used, "thread_safe", False))) as handler:
            yield handler

    def acquire(
        self, key: Hashable, make: Callable[[], Any], shared: bool
    ) -> contextlib.AbstractContextManager[Any]:
        """Lend what is kept open under a key; see `Opened.acquire`."""
        return OPEN.acquire((self._token, key), make, shared)

    def close(self) -> None:
        """Close the files that were opened for this registry. It can be used again."""
        OPEN.close(lambda key: isinstance(key, tuple) and key[0] == self._token)


def _name(handler: Any) -> str:
    return f"the handler {getattr(handler, '__name__', handler)}"
