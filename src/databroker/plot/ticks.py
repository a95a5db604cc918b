"""Round numbers along an axis of a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

_FEWER = 0.8  # a fourth more than were asked for are as good


def padded(ends: tuple[float, float], margin: float = 0.0) -> tuple[float, float]:
    """Return ends that differ, with a margin beyond them.

    Examples
    --------
    >>> padded((0.0, 10.0), 0.1), padded((5.0, 5.0))
    ((-1.0, 11.0), (4.5, 5.5))
    """
    low, high = ends
    half = (high - low) * margin if high > low else max(0.5, abs(low) * 1e-6)
    return low - half, high + half


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers from one to another, about so many.

    Examples
    --------
    >>> ticks(-3, 3, 4), ticks(0.013, 0.987, 4)
    ([-2.0, 0.0, 2.0], [0.2, 0.4, 0.6, 0.8])
    """
    least = (high - low) / max(most, 1)
    size = 10.0 ** math.floor(math.log10(least))
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= least * _FEWER)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    # Of -0.0, nobody wants to read the sign.
    return [float(f"{number * step:.12g}") + 0.0 for number in range(first, last + 1)]


def labels(places: Sequence[float]) -> list[str]:
    """Return numbers as texts with as many digits as tell them apart.

    Examples
    --------
    >>> labels([0.0, 0.5, 1.0]), labels([1e6, 2e6]), labels([100.0001, 100.0002])
    (['0', '0.5', '1'], ['1e+06', '2e+06'], ['100.0001', '100.0002'])
    """
    texts: list[str] = []
    for digits in range(6, 13):
        texts = [f"{place:.{digits}g}" for place in places]
        if all(math.isclose(float(text), place) for text, place in zip(texts, places, strict=True)):
            break
    return texts
