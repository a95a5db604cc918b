"""A whole copy of a broker's runs in one file, made while it is in use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from .._util.signals import not_from_signal
from .._util.whole_files import whole_file
from ..errors import CopyFailed, CopyRefused, StoreUnavailable
from ..query.nodes import Everything, Path
from .moving.copying import Copying

if TYPE_CHECKING:
    from ..runs.session import Session


def back_up(
    session: Session, path: str | os.PathLike[str], progress: Callable[[int, int], None] | None
) -> FilePath:
    """Copy all runs into a new file; see `Broker.backup`."""
    target = FilePath(path).expanduser().absolute()
    if not target.parent.is_dir():
        raise StoreUnavailable(f"There is no folder {target.parent} to make a backup in.")
    try:
        with whole_file(target) as part:
            part.touch()  # a folder that cannot be written into says so better than SQLite does
            try:
                if session.store.capabilities.backup:
                    session.store.backup(part, progress)
                else:
                    _insert_all(session, part)
            except not_from_signal(StoreUnavailable) as error:
                if str(part) not in str(error):
                    raise  # it is the source that cannot be read
                raise StoreUnavailable(
                    f"{target} cannot be written: {error.__cause__}. Is the disk full?"
                ) from error
            finally:
                for beside in ("-wal", "-shm", "-journal"):
                    FilePath(f"{part}{beside}").unlink(missing_ok=True)
    except FileExistsError as error:
        raise CopyRefused(f"{error} A backup never overwrites; choose a name.") from None
    return target


def _insert_all(session: Session, path: FilePath) -> None:
    """Copy all runs into a new SQLite file, the oldest first."""
    from ..stores.registry import open_store

    store = open_store("sqlite", path=str(path))
    try:
        uids = [uid for (uid,) in session.view.select(Everything(), [Path("uid")])]
        report = Copying(session.store, store).all(uids[::-1])
    finally:
        store.close()
    if not report:
        raise CopyFailed(f"Not all runs can be copied.\n{report}")
