"""What files cannot hold, in the same words for all formats."""

from __future__ import annotations

from collections.abc import Iterable

METADATA = "metadata and configuration"
UNITS = "units"
TIMES = "the time of each value"
CHARACTERS = "characters that no text of such files has, but as \\x00 or \\ud800"
IMAGES = "events without an image"
UNLIKE = "values that differ in shape or type"

_NAMED = 8  # fields, so that a line stays one


def of_fields(what: str, fields: Iterable[str]) -> list[str]:
    """Return the loss of something that some fields have; nothing if there are none.

    Examples
    --------
    >>> of_fields("external data", ["img", "cam"])
    ['external data (img, cam)']
    """
    names = [" ".join(name.split()) for name in fields]
    if len(names) > _NAMED:
        names[_NAMED:] = [f"and {len(names) - _NAMED:,} more"]
    return [f"{what} ({', '.join(names)})"] if names else []
