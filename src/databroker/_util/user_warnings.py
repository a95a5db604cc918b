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
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    # The frame as it is, and not a number of levels, for which frames would be counted anew.
    warnings.warn_explicit(
        printable(message),
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__") or "<string>",  # as `warnings.warn` has it
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


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
