"""What waits in a folder, looked at without taking it from whoever writes or sends it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..._util.signals import suppressed
from ...errors import StoreDamaged
from ..waiting import Waiting
from .journal import left_behind, read_records
from .sending import DAMAGED, REFUSED, named


def survey(folder: Path, reason: str | None) -> Waiting:
    """Count what waits, and name what is kept beside it."""
    files = left_behind(folder)
    refused = sorted(folder.glob(f"*{REFUSED}"))
    return Waiting(
        documents=sum(1 for _ in _records(files)),
        bytes=sum(map(_size, files)),
        files=tuple(map(str, files)),
        reason=reason,
        refused=tuple(f"{named(kind, doc)}: {why}" for kind, doc, why in _records(refused)),
        kept=tuple(map(str, [*refused, *sorted(folder.glob(f"*{DAMAGED}"))])),
    )


def _records(files: Iterable[Path]) -> Iterable[Any]:
    for file in files:
        with suppressed(OSError, StoreDamaged):  # sent meanwhile; or what it holds is not known
            yield from read_records(file)


def _size(file: Path) -> int:
    with suppressed(OSError):
        return file.stat().st_size
    return 0
