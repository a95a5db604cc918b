"""What a broker knows about external data: handlers, and where files are now."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._util.printable import warn
from .._util.signals import from_signal
from ..errors import DatabrokerError
from .handler_cache import OPEN, identity
from .handlers.registry import HandlerRegistry
from .locate import Guard, Place, place_of
from .readers.hdf5_links import check_links
from .references import DataReference, data_error, with_context

if TYPE_CHECKING:
    from ..stores.base import Store

__all__ = ["Registry"]


Mend = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Is given the kind of a document and the document; returns it as it is to be read."""


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
    store
        Where `copy_files` looks for the datum documents of a resource.
    mend
        What returns a document as it is to be read: the broker's `transforms`.

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
        self.store: Store | None = None
        self.mend: Mend = as_it_is
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
        found = place_of(document, self.root_map)
        self.guard.check(found.path, reference)
        return found

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
        # Where root map, handler or file were changed, what was opened before is not for us.
        place = self.place(resource, reference)
        key = (str(resource.get("uid")), chosen, place.path, identity(place.path))
        kwargs = dict(resource.get("resource_kwargs") or {})
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

    def copy_files(
        self,
        resource: Mapping[str, Any],
        new_root: str,
        verify: bool = False,
        file_rename_hook: Callable[[int, int, str, str], Any] | None = None,
        run_start_uid: str | None = None,
    ) -> Iterator[tuple[str, str]]:
        """Copy the files of a resource below a new root.

        Files that are there already are not copied again, and nothing is overwritten.

        Parameters
        ----------
        resource
            The document.
        new_root
            A folder. Below it, files keep their path relative to the resource's root.
        verify
            Whether to compare checksums.
        file_rename_hook
            Called with the number of the file, how many there are, the old and the new path.
        run_start_uid
            The run that it belongs to, where the document does not say so.

        Returns
        -------
        iterator
            The old and the new path of each file; all are copied when it is returned.

        Raises
        ------
        ValueError
            It is not known to which run the resource belongs.
        RuntimeError
            A file is outside of the resource's root.
        ExternalDataMissing
            A file is not there. Nothing was copied.
        CopyRefused, CopyFailed
            Another file is where a copy should be, or the disk is full, say.
        """
        from .files.copying import copy_resource

        if not (run_start_uid or resource.get("run_start")):
            raise ValueError(
                "This resource does not say to which run it belongs: pass run_start_uid."
            )
        if not resource.get("root"):
            warn(
                "The resource has no root: the whole path of its files is kept below the new one.",
                UserWarning,
                stacklevel=2,
            )
        pairs = copy_resource(
            self.store,
            self,
            resource,
            new_root,
            run=run_start_uid,
            verify=verify,
            progress=file_rename_hook,
        )
        return iter(pairs)

    def __getstate__(self) -> dict[str, Any]:
        # In another process, arrays bring their own way to the documents.
        return {**self.__dict__, "store": None}


def as_it_is(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as it is."""
    return document


def _name(handler: Any) -> str:
    return f"the handler {getattr(handler, '__name__', handler)}"


# Users and their tools know the class under this name.
Registry.__module__ = "databroker.v1"
