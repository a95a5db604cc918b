"""From claims, which an issuer or a proxy makes about a person, to what this person may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from ...errors import AccessRefused
from ...query.nodes import Everything, In, Node, Path, all_of
from .caller import SCOPES, Caller, Scope

_DIGITS = 19
"""Numbers of fewer have 64 bits."""

Claims = Mapping[str, Any]
"""Claims about a person: texts, or lists of texts, by name."""

Condition = bool | Mapping[str, Sequence[str]]
"""Everybody, nobody, or those of whom a claim has one of some values."""


@dataclass(frozen=True)
class Rules:
    """Rules by which claims become a caller.

    Attributes
    ----------
    name
        The claim with their name.
    scopes
        Who has each scope.
    runs
        Keys of starts, each with the claim that has the values of which a run must have one, as
        text or as number.
    all_runs
        Who may see all runs, whatever `runs` says.

    Examples
    --------
    >>> rules = Rules("sub", {"read": True, "write": {"groups": ["staff"]}}, {"proposal": "visits"})
    >>> rules.caller({"sub": "ann", "groups": ["users"], "visits": ["12", "34"]})
    Caller(name='ann', scopes=frozenset({'read'}), query=Key('proposal').isin(['12', 12, '34', 34]))
    """

    name: str
    scopes: Mapping[Scope, Condition] = field(default_factory=lambda: {"read": True})
    runs: Mapping[str, str] = field(default_factory=dict)
    all_runs: Condition = False

    def caller(self, claims: Claims) -> Caller:
        """Return the caller whom claims are about.

        Raises
        ------
        AccessRefused
            The claims have no name.
        """
        name = claims.get(self.name)
        if not isinstance(name, str) or not name:
            raise AccessRefused(
                f"Your log-in has no name: the claim {self.name!r} is missing, or no text."
            )
        may = {scope: self.scopes.get(scope, False) for scope in SCOPES}
        scopes = frozenset(scope for scope in SCOPES if _is_about(may[scope], claims))
        return Caller(name, scopes, self._query(claims))

    def _query(self, claims: Claims) -> Node:
        if not self.runs or _is_about(self.all_runs, claims):
            return Everything()
        # Without the claim there are no values, and no run that has one of them.
        return all_of(
            In(Path(key), tuple(chain.from_iterable(map(_as_kept, _texts(claims, claim)))))
            for key, claim in self.runs.items()
        )


def _is_about(condition: Condition, claims: Claims) -> bool:
    if isinstance(condition, bool):
        return condition
    return any(set(values) & set(_texts(claims, claim)) for claim, values in condition.items())


def _texts(claims: Claims, name: str) -> list[str]:
    """Return the values of a claim; what OAuth calls the scope has spaces between them."""
    found = claims.get(name)
    if isinstance(found, str) and name == "scope":
        return found.split()
    listed = found if isinstance(found, list) else [found]
    return [str(each) for each in listed if type(each) in (str, int) and each != ""]


def _as_kept(text: str) -> tuple[str] | tuple[str, int]:
    """Return what a start may have in place of a text: a number, where it is written like that."""
    is_number = len(text) < _DIGITS and text.isascii() and text.isdecimal()
    return (text, int(text)) if is_number and text == str(int(text)) else (text,)
