"""How many runs, files and so on there are, in words."""

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
    return counted(runs, "run")


def counted(number: int, noun: str) -> str:
    """Return a number and a noun.

    Examples
    --------
    >>> counted(1, "file"), counted(20_000, "file")
    ('1 file', '20,000 files')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
