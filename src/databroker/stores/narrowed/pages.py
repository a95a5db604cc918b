"""Pages of many runs, some of which are hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..many import RunsPage


def in_order(wanted: Sequence[str], pages: Iterable[RunsPage]) -> Iterator[RunsPage]:
    """Yield pages that have some of the wanted runs so that they name the others, too, in order.

    Examples
    --------
    >>> list(in_order(["a", "b", "c"], [RunsPage(["b"], [], ["b"])]))
    [RunsPage(runs=['a', 'b', 'c'], alike=[], apart=['b'])]
    """
    left, held = iter(wanted), RunsPage([], [], [])
    for page in pages:
        if held.runs:
            yield held
        named = list[str]()
        while page.runs and (not named or named[-1] != page.runs[-1]):
            named.append(next(left))
        held = replace(page, runs=named)
    yield replace(held, runs=[*held.runs, *left])
