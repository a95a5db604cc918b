"""How many runs there are, in words."""

from __future__ import annotations


def runs_in_words(runs: int | None) -> str:
    """Return how many runs a broker has; None is for a server that cannot be asked.

    Examples
    --------
    >>> runs_in_words(1), runs_in_words(1200)
    ('1 run', '1,200 runs')
    """
    if runs is None:
        return "how many runs is not known, as the server is away"
    return f"{runs:,} run{'' if runs == 1 else 's'}"
