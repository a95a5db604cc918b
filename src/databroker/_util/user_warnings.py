"""Warnings that point at the line of the user's own program."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from .printable import printable

Warned = tuple[str, type[Warning]]
"""What was said, and as what."""

_HEARD: ContextVar[list[Warned] | None] = ContextVar("heard", default=None)

_PACKAGE = str(Path(__file__).parent.parent)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, and point at the newest line on the stack that is not of this package."""
    heard = _HEARD.get()
    if heard is not None:
        heard.append((message, category))
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(printable(message), category, stacklevel=level)


@contextmanager
def overheard(heard: list[Warned]) -> Iterator[None]:
    """Note what this thread warns of until this is left, so that it can be told elsewhere, too.

    Examples
    --------
    >>> heard = []
    >>> with overheard(heard), warnings.catch_warnings(action="ignore"):
    ...     warn_user("it is damaged")
    >>> heard
    [('it is damaged', <class 'UserWarning'>)]
    """
    token = _HEARD.set(heard)
    try:
        yield
    finally:
        _HEARD.reset(token)
