"""A whole copy of a broker's runs in one file, made while it is in use."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from .._util.signals import not_from_signal
from ..errors import CopyFailed, CopyRefused
from ..query.nodes import Everything, Path
from .moving.copying import Copying

if TYPE_CHECKING:
    from ..runs.session import Session


def back_up(
    session: Session, path: str | os.PathLike[str], progress: Callable[[int, int], None] | None
) -> FilePath:
    """Copy all runs into a new file; see `Broker.backup`."""
    target = FilePath(path).expanduser().absolute()
    if os.path.lexists(target):
        raise CopyRefused(f"{target} is there already. A backup never overwrites; choose a name.")
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        if session.store.capabilities.backup:
            session.store.backup(part, progress)
        else:
            _insert_all(session, part)
        with part.open("rb") as whole:
            os.fsync(whole.fileno())
        _publish(part, target)
    finally:
        for each in (
            part,
            FilePath(f"{part}-wal"),
            FilePath(f"{part}-shm"),
            FilePath(f"{part}-journal"),
        ):
            with contextlib.suppress(FileNotFoundError):
                each.unlink()
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


def _publish(part: FilePath, target: FilePath) -> None:
    """Give a file its name, unless another has got it meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError as error:
        raise CopyRefused(f"{target} has appeared meanwhile. It was left as it is.") from error
    except not_from_signal(OSError):  # this disk knows no links
        os.rename(part, target)
