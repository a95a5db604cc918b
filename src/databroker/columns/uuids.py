"""Canonical uuids as 16 bytes each, a whole column at a time."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

_DASHES = (8, 13, 18, 23)
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_PLACES = np.array([place for place in range(36) if place not in _DASHES])


def pack(texts: Sequence[str]) -> Bytes | None:
    """Return uuids as bytes of shape (n, 16), or None if one is not canonical.

    Canonical is 36 characters, lower case, dashes in their places: the form
    that can be made again exactly.
    """
    size = len(texts)
    if not texts or len(texts[0]) != 36:
        return None
    lines = "\n".join([*texts, ""])
    if len(lines) != 37 * size or not lines.isascii() or lines != lines.lower():
        return None
    if any(lines[place::37] != "-" * size for place in _DASHES) or lines[36::37] != "\n" * size:
        return None
    try:  # with digits in all other places, each line is one text
        packed = binascii.unhexlify(lines.encode().translate(None, b"-\n"))
    except ValueError:
        return None
    return np.frombuffer(packed, np.uint8).reshape(-1, 16) if len(packed) == 16 * size else None


def unpack(packed: Bytes) -> list[str]:
    """Return the texts of uuids given as bytes of shape (n, 16)."""
    characters = np.full((len(packed), 36), ord("-"), np.uint8)
    characters[:, _PLACES[::2]] = _DIGITS[packed >> 4]
    characters[:, _PLACES[1::2]] = _DIGITS[packed & 15]
    text = characters.tobytes().decode()
    return [text[start : start + 36] for start in range(0, len(text), 36)]
