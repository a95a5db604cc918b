"""Warnings that point at the line of the user's own program."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from .printable import printable

_PACKAGE = str(Path(__file__).parent.parent)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, and point at the newest line on the stack that is not of this package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(printable(message), category, stacklevel=level)
