"""Warnings as they travel: what the store of a server warns of is warned of by the client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ... import errors
from ..._util.user_warnings import Warned, warn_user

HEADER = "Databroker-Warnings"
"""Where they stand in an answer of one value, as JSON in ASCII."""

_MOST, _LONGEST = 10, 500
"""How many there are, and how many characters one has: HTTP knows no long headers."""


def to_plain(warned: Sequence[Warned]) -> list[list[str]]:
    """Return warnings as they travel: the name of the class, and the message.

    Examples
    --------
    >>> to_plain([("Rows are left out.", errors.DamageWarning)])
    [['DamageWarning', 'Rows are left out.']]
    """
    several = list(dict.fromkeys(warned))[:_MOST]
    return [[kind.__name__, message[:_LONGEST]] for message, kind in several]


def warn_again(plain: Any) -> None:
    """Warn of what another process was warned of; of an unknown class as a UserWarning.

    What comes from elsewhere may be anything: what is no warning is passed over.
    """
    for each in plain if isinstance(plain, list) else ():
        match each:
            case [str(name), str(message)]:
                kind = getattr(errors, name, UserWarning)
                is_one = isinstance(kind, type) and issubclass(kind, Warning)
                warn_user(message, kind if is_one else UserWarning)


def of_header(text: str | None) -> Any:
    """Return the plain warnings that a header has."""
    try:
        return json.loads(text or "[]")
    except ValueError:
        return []
