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

    Data keys and facts (`paths.FACTS`; None where one is not known) are asked for only where a
    question needs them.

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
