"""What is seen of a field, whether it holds numbers or arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .choose import Choice
from .frames import frames_seen
from .panels import Found
from .rows import Rows
from .scans import numbers_seen


def field_seen(
    start: Mapping[str, Any], rows: Rows, field: str, choice: Choice, frames: int
) -> Found:
    """Return what there is to be seen of a field: what it is, its values tell better than words."""
    found = frames_seen(rows, field, choice.axes, frames)
    if found is None or (found.contents is None and field in choice.scalars):
        found = numbers_seen(start, rows, field, choice.axes)
    return found
