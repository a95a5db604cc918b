"""Short names for everyday questions."""

from __future__ import annotations

from typing import Any

from .._util.printable import shown
from ..errors import InvalidQuery, UnsupportedQuery
from . import nodes
from .nodes import Equals, Node, Path
from .operands import plain
from .parse import from_mongo
from .text import parse_text

__all__ = [
    "Detector",
    "FullText",
    "Motor",
    "MotorOrDetector",
    "PlanName",
    "ScanID",
    "Status",
]


def FullText(text: str) -> nodes.FullText:
    """Words of the RunStart's text values.

    Parameters
    ----------
    text
        Words that must all occur, ``"words in quotes"`` that must stand
        together, ``-word`` that must not occur.

    Examples
    --------
    >>> FullText("good 'Ni' sample -burnt")
    FullText('good ni sample -"burnt"')
    """
    if not isinstance(text, str):
        raise InvalidQuery(f"FullText takes text, not {type(text).__name__}")
    return parse_text(text)


def check_duplicates(duplicates: str) -> None:
    """Refuse to choose among the runs of one scan_id."""
    if duplicates != "all":
        raise UnsupportedQuery(
            f"a search finds all runs of a scan_id: duplicates is 'all', not {shown(duplicates)}. "
            "The newest one is db[scan_id]."
        )


def ScanID(*scan_ids: int, duplicates: str = "all") -> Node:
    """Give the runs with this scan_id, or one of these: all of them, newest first.

    Examples
    --------
    >>> ScanID(42)
    Key('scan_id') == 42
    >>> ScanID(1, 2)
    Key('scan_id').isin([1, 2])
    """
    check_duplicates(duplicates)
    if len(scan_ids) == 1:
        return Equals(Path("scan_id"), plain(scan_ids[0]))
    return nodes.In(Path("scan_id"), tuple(map(plain, scan_ids)))


def PlanName(name: str) -> Node:
    """Give the runs of this plan.

    Examples
    --------
    >>> PlanName("scan")
    Key('plan_name') == 'scan'
    """
    return Equals(Path("plan_name"), plain(name))


def Motor(name: Any) -> Node:
    """Give the runs that name this motor, in ``motor`` or in ``motors``.

    Examples
    --------
    >>> Motor("eta")
    (Key('motor') == 'eta') | (Key('motors') == 'eta')
    """
    return from_mongo({"motor": name})


def Detector(name: Any) -> Node:
    """Give the runs that name this detector, in ``detector`` or in ``detectors``."""
    return from_mongo({"detector": name})


def MotorOrDetector(name: Any) -> Node:
    """Give the runs that name this device as a motor or as a detector."""
    return Motor(name) | Detector(name)


def Status(status: str) -> Node:
    """Give the runs that stand so: 'success', 'abort', 'fail', 'running' or 'unknown'.

    Examples
    --------
    >>> Status("fail"), Status("running")
    (Key('stop.exit_status') == 'fail', Key('status', document='run') == 'running')
    """
    if status in ("running", "unknown"):
        return Equals(Path("status", "run"), status)
    return Equals(Path("exit_status", "stop"), plain(status))
