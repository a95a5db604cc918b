"""What waits in a folder, looked at without taking it from whoever writes or sends it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..._util.signals import suppressed
from ...errors import StoreDamaged
from ..waiting import Waiting
from .journal import SUFFIX, count_records, left_behind, read_records
from .sending import DAMAGED, REFUSED, named


def survey(folder: Path, reason: str | None) -> Waiting:
    """Count what waits, and name what is kept beside it."""
    files = left_behind(folder)
    refused = sorted(folder.glob(f"*{REFUSED}"))
    return Waiting(
        documents=sum(map(_count, files)),
        bytes=sum(map(_size, files)),
        files=tuple(map(str, files)),
        reason=reason,
        refused=tuple(f"{named(kind, doc)}: {why}" for kind, doc, why in _records(refused)),
        kept=tuple(map(str, [*refused, *sorted(folder.glob(f"*{DAMAGED}"))])),
        elsewhere=tuple(
            str(file)
            for file in sorted(folder.parent.glob(f"*/*{SUFFIX}"))
            if file.parent != folder
        ),
    )


def _records(files: Iterable[Path]) -> Iterable[Any]:
    for file in files:
        with suppressed(OSError, StoreDamaged):
            yield from read_records(file)


def _count(file: Path) -> int:
    with suppressed(OSError, StoreDamaged):  # sent meanwhile; or what it holds is not known
        return count_records(file)
    return 0


def _size(file: Path) -> int:
    with suppressed(OSError):
        return file.stat().st_size
    return 0
