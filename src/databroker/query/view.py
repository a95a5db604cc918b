"""What a question can ask of a run."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Predicate", "RunView"]


def _not_known(fact: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class RunView:
    """What a question can ask of a run.

    Parameters
    ----------
    start
        The RunStart document.
    stop
        The RunStop document, or None while there is none.
    data_keys
        Called without arguments, gives the names of the data keys of all
        descriptors. It is called only if a question needs them.
    fact
        Called with the name of a fact (`paths.FACTS`), gives it, or None where it
        is not known. It is called only if a question needs it.

    Examples
    --------
    >>> RunView({"uid": "abc"}, data_keys=lambda: {"det", "motor"}).stop is None
    True
    """

    start: Mapping[str, Any]
    stop: Mapping[str, Any] | None = None
    data_keys: Callable[[], Container[str]] = frozenset
    fact: Callable[[str], Any] = _not_known


Predicate = Callable[[RunView], bool]
