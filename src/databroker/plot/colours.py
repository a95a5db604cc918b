"""Colours as a terminal has them: millions, 256, or none, where letters tell dark from bright."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from .downsample import Array, resized

Depth = Literal["none", "256", "true"]
RGB = tuple[int, int, int]

_LINES = (75, 208, 78, 204, 141, 180, 51, 227)
"""Of the 256 colours, those of lines: they are told apart on black and on white."""

RAMP = ".:-=+*#%@"
"""From the lowest to the highest, where there are no colours."""

_END = "\x1b[0m"
# Viridis, at equal distances.
_SCALE = np.array(
    [
        (68, 1, 84),
        (72, 40, 120),
        (62, 74, 137),
        (49, 104, 142),
        (38, 130, 142),
        (31, 158, 137),
        (53, 183, 121),
        (110, 206, 88),
        (181, 222, 43),
        (253, 231, 37),
    ],
    np.float64,
)
_LEVELS = np.array([0, 95, 135, 175, 215, 255])  # of each part, in the cube of 216 colours


def painted(text: str, number: int, depth: Depth) -> str:
    """Return a text in one of the 256 colours."""
    return text if depth == "none" else f"\x1b[38;5;{number}m{text}{_END}"


def line_colour(number: int, count: int) -> int:
    """Return which of the 256 colours a line has; of many, their order is seen from them."""
    if count <= len(_LINES):
        return _LINES[number]
    return in_cube(colour_of(number / (count - 1)))


def colour_of(value: float) -> RGB:
    """Return the colour of a value between 0 and 1."""
    place = min(max(value, 0.0), 1.0) * (len(_SCALE) - 1)
    red, green, blue = (np.interp(place, np.arange(len(_SCALE)), part) for part in _SCALE.T)
    return round(red), round(green), round(blue)


def letter_of(value: float) -> str:
    """Return what stands for a value between 0 and 1 where there are no colours."""
    return RAMP[round(min(max(value, 0.0), 1.0) * (len(RAMP) - 1))]


def in_cube(colour: RGB) -> int:
    """Return the number of the nearest of 216 colours.

    Examples
    --------
    >>> in_cube((0, 0, 0)), in_cube((250, 230, 40)), in_cube((255, 255, 255))
    (16, 220, 231)
    """
    red, green, blue = (int(np.argmin(abs(_LEVELS - part))) for part in colour)
    return 16 + 36 * red + 6 * green + blue


def half_blocks(pixels: Sequence[Sequence[RGB | None]], depth: Depth) -> list[str]:
    """Return rows of pixels as lines of half as many characters; None stays empty."""
    lines = []
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        line, before = "", ""
        for top, bottom in zip(upper, lower, strict=True):
            code, letter = _half(top, bottom, depth)
            line += letter if code == before else f"{_END if before else ''}{code}{letter}"
            before = code
        lines.append(line + (_END if before else ""))
    return lines


def _half(top: RGB | None, bottom: RGB | None, depth: Depth) -> tuple[str, str]:
    """Return what sets the colours of a character, and the character."""
    if top is None and bottom is None:
        return "", " "
    if bottom is None:
        return _code(38, top, depth), "▀"
    if top is None:
        return _code(38, bottom, depth), "▄"
    return _code(38, top, depth) + _code(48, bottom, depth), "▀"


def _code(ground: int, colour: RGB | None, depth: Depth) -> str:
    if colour is None:
        return ""
    if depth == "true":
        red, green, blue = colour
        return f"\x1b[{ground};2;{red};{green};{blue}m"
    return f"\x1b[{ground};5;{in_cube(colour)}m"


def picture(values: Array, columns: int, lines: int, depth: Depth) -> list[str]:
    """Return values between 0 and 1, or colours of such, as lines of a terminal."""
    if depth == "none":
        grey = values.mean(axis=2) if values.ndim == 3 else values
        small = resized(grey, lines, columns)
        return ["".join(" " if v != v else letter_of(v) for v in row) for row in small.tolist()]
    small = resized(values, 2 * lines, columns)
    return half_blocks([[_rgb(value) for value in row] for row in small], depth)


def _rgb(value: Array) -> RGB | None:
    if not np.isfinite(value).all():
        return None
    if value.ndim:
        red, green, blue = (round(255 * min(max(float(part), 0.0), 1.0)) for part in value[:3])
        return red, green, blue
    return colour_of(float(value))
