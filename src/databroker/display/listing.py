"""The first lines of a list that may be long, and where the others are."""

from __future__ import annotations

from collections.abc import Sequence

_MOST = 20


def listing(lines: Sequence[str], attribute: str, count: int | None = None) -> list[str]:
    """Return lines as a list for people, of which the first are enough.

    Parameters
    ----------
    lines
        The lines.
    attribute
        Which attribute of what is shown has all of them.
    count
        How many there would be, if some were not kept.

    Examples
    --------
    >>> listing(["it is missing"], "findings")
    ['- it is missing']
    >>> listing(["it is missing"] * 25, "findings")[-1]
    '- and 5 more: `findings` has them, or --json at the terminal.'
    """
    rest = (len(lines) if count is None else count) - _MOST
    more = f"- and {rest:,} more: `{attribute}` has them, or --json at the terminal."
    return [*(f"- {line}" for line in lines[:_MOST]), *([more] if rest > 0 else [])]
