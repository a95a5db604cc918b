"""How much a store does at once, and when one way of doing it gives place to another."""

from __future__ import annotations

from dataclasses import dataclass

from .failures import PATIENCE


@dataclass(frozen=True)
class Limits:
    """The limits of one store; tests open stores with limits that few small documents meet."""

    # -- searches --
    # So many entries of an index are sorted sooner than one could see whether that is needed.
    few: int = 1_000
    # How many runs are met at once: a page costs as much as those before it, and the last is met
    # again and again, as more at once is not faster.
    walked: tuple[int, ...] = tuple(2**n for n in range(4, 14))
    # After so many runs met, of which so few pass the test, the set of all is sooner made.
    walk_patience: tuple[int, float] = 5_000, 0.01
    # How many documents are read at once: few first, as one asks mostly for few.
    read: tuple[int, ...] = 8, 64, 256, 512
    # After so many documents evaluated, of which so few fit, the sets of all are sooner made.
    read_patience: tuple[int, float] = 500, 0.05
    apart: int = 32  # values that are looked up one by one, each in the order of runs
    values: int = 500  # in one statement: databases have limits
    texts: int = 256  # of a key, on each of which a pattern is tried once
    few_documents: int = 1_000  # are read as fast as leaves
    leaves: int = 8  # are read while one document is

    # -- checks --
    checked: int = 200  # rows of a table that are read at once
    checked_rows: int = 500  # of a tail, and datum documents, that are looked at at once
    checked_entries: int = 20_000  # of the index that are read at once
    compared: int = 100_000  # runs that are compared with the index at once, by fingerprints
    # So many runs that differ, with so many entries, are compared at once, entry by entry.
    compared_again: tuple[int, int] = 2_000, 200_000
    findings: int = 1_000  # that are told one by one

    # -- connections --
    steps: int = 2_000_000  # of a statement (some 50 ms), after which Python may see to a signal
    patience: float = PATIENCE
    outage: float = 10.0  # seconds that a server may be away, as it is started anew
    fork_patience: float = 10.0  # seconds that a fork waits for transactions of other threads


DEFAULT = Limits()
