"""Canonical uuids as 16 bytes each, a whole column at a time."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

_MARKS = ((8, "-"), (13, "-"), (18, "-"), (23, "-"), (36, "\n"))
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_PLACES = np.array([place for place in range(36) if place not in dict(_MARKS)])
_LOWER = 0x20  # a bit that digits and lower case letters have, and upper case ones have not


def pack(texts: Sequence[str]) -> Bytes | None:
    """Return uuids as bytes of shape (n, 16), or None if one is not canonical.

    Canonical is 36 characters, lower case, dashes in their places: the form
    that can be made again exactly.
    """
    size = len(texts)
    if not texts or len(texts[0]) != 36:
        return None
    text = "\n".join(texts) + "\n"
    if len(text) != 37 * size or not text.isascii():
        return None
    if any(text[place::37] != mark * size for place, mark in _MARKS):
        return None
    digits = text.encode().translate(None, b"-\n")
    try:  # with digits in all other places, each line is one text
        packed = np.frombuffer(binascii.unhexlify(digits), np.uint8)
    except ValueError:
        return None
    is_lower = (np.frombuffer(digits, np.uint8) & _LOWER).all()
    return packed.reshape(size, 16) if is_lower and len(packed) == 16 * size else None


def unpack(packed: Bytes) -> list[str]:
    """Return the texts of uuids given as bytes of shape (n, 16)."""
    characters = np.full((len(packed), 36), ord("-"), np.uint8)
    characters[:, _PLACES[::2]] = _DIGITS[packed >> 4]
    characters[:, _PLACES[1::2]] = _DIGITS[packed & 15]
    text = characters.tobytes().decode()
    return [text[start : start + 36] for start in range(0, len(text), 36)]
