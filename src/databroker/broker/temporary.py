"""Stores for a while."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..stores.base import Store


def temporary_store() -> Store:
    """Make a new, empty store whose files are removed when it is no longer used."""
    from ..stores.registry import open_store

    folder = tempfile.mkdtemp(prefix="databroker-")
    store = open_store("sqlite", path=f"{folder}/runs.db")
    remove_with(store, folder)
    return store


def remove_with(store: Store, folder: str) -> None:
    """Remove a folder when a store is no longer used: what reads lazily holds it, too."""
    weakref.finalize(store, _remove, weakref.ref(store), folder, os.getpid())


def _remove(held: weakref.ref[Store], folder: str, pid: int) -> None:
    if os.getpid() != pid:
        return  # the files belong to the process that this one was forked from
    store = held()
    if store is not None:
        store.close()
    remove(folder)


def remove(folder: str) -> None:
    """Remove a folder and all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
