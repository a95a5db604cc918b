"""The registry of databroker 1.x: that of a broker, whose documents it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._util.user_warnings import warn_user
from ..external import registry as external

if TYPE_CHECKING:
    from ..stores.base import Store


class Registry(external.Registry):
    """Handlers, and where files are now; obtained as ``db.reg``.

    It is made as `databroker.external.Registry` is.
    """

    __slots__ = ("_store",)
    _store: Store

    @classmethod
    def bound(cls, registry: external.Registry, store: Store) -> Registry:
        """Return what copies the files of a store, and is the given registry in all else."""
        bound = cls.__new__(cls)
        bound.__dict__ = registry.__dict__
        bound._store = store
        return bound

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
        from ..external.files.copying import copy_resource

        if not (run_start_uid or resource.get("run_start")):
            raise ValueError(
                "This resource does not say to which run it belongs: pass run_start_uid."
            )
        if not resource.get("root"):
            warn_user(
                "The resource has no root: the whole path of its files is kept below the new one."
            )
        pairs = copy_resource(
            getattr(self, "_store", None),
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
        return self.__dict__


# Users and their tools know the class under this name.
Registry.__module__ = "databroker.v1"
