"""What files cannot hold, in the same words for all formats."""

from __future__ import annotations

from collections.abc import Iterable

METADATA = "metadata and configuration"
UNITS = "units"
TIMES = "the time of each value"


def of_fields(what: str, fields: Iterable[str]) -> list[str]:
    """Return the loss of something that some fields have; nothing if there are none.

    Examples
    --------
    >>> of_fields("external data", ["img", "cam"])
    ['external data (img, cam)']
    """
    names = ", ".join(fields)
    return [f"{what} ({names})"] if names else []
