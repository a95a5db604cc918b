"""A whole copy of a broker's runs in one file, made while it is in use."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .._util.signals import from_signal
from ..errors import CopyRefused
from ..query.nodes import Everything
from ..runs.run import Run
from .export import export

if TYPE_CHECKING:
    from ..runs.session import Session


def back_up(
    session: Session, path: str | os.PathLike[str], progress: Callable[[int, int], None] | None
) -> Path:
    """Copy all runs into a new file; see `Broker.backup`."""
    target = Path(path).expanduser().absolute()
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
        for each in (part, Path(f"{part}-wal"), Path(f"{part}-shm"), Path(f"{part}-journal")):
            with contextlib.suppress(FileNotFoundError):
                each.unlink()
    return target


def _insert_all(session: Session, path: Path) -> None:
    """Insert all runs into a new SQLite file, the oldest first."""
    from ..stores.registry import open_store

    store = open_store("sqlite", path=str(path))
    try:
        runs = [Run(session, record) for record in session.view.find(Everything())]
        export(reversed(runs), store)
    finally:
        store.close()


def _publish(part: Path, target: Path) -> None:
    """Give a file its name, unless another has got it meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError as error:
        raise CopyRefused(f"{target} has appeared meanwhile. It was left as it is.") from error
    except OSError as error:  # this disk knows no links
        if from_signal(error):
            raise
        os.rename(part, target)
