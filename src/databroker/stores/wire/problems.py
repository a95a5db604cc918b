"""Errors as they travel: code and message, from which the same class is made again."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, TypeVar

from ... import errors as e

Problem = Mapping[str, str]
"""``{"code": ..., "message": ...}``; of external data also what was wrong alone, and of which."""

_STATUS: tuple[tuple[type[e.DatabrokerError], int], ...] = (
    # The first that fits counts.
    (e.RequestTooLarge, 413),
    (e.RequestTooSlow, 408),
    (e.AccessRefused, 401),
    (e.NotPermitted, 403),
    (e.StoreIsReadOnly, 403),
    (e.ConflictingDocument, 409),
    (e.QueryTimeout, 504),
    (e.NotSupported, 501),
    (e.UnsupportedQuery, 501),
    (e.ExternalDataMissing, 404),
    (e.NoSuchRun, 404),
    (e.NoSuchStream, 404),
    (e.NoSuchField, 404),
    (e.TooManyRequests, 429),
    (e.StoreAway, 503),
    (e.ServerFailed, 500),
    (e.StoreUnavailable, 502),
    (e.StoreDamaged, 500),
)
_BAD_REQUEST = 400

OF_DATA = ("problem", "run", "field", "datum")
"""What errors about external data say of it apart, too: for who has said which data it is."""

D = TypeVar("D", bound=e.DatabrokerError)


def status_of(error: e.DatabrokerError) -> int:
    """Return the HTTP status for an error.

    Examples
    --------
    >>> status_of(e.StoreAway("the database is away")), status_of(e.InvalidQuery("no such node"))
    (503, 400)
    """
    return next((status for kind, status in _STATUS if isinstance(error, kind)), _BAD_REQUEST)


def codes_of() -> Mapping[int, list[str]]:
    """Return the codes of errors for each HTTP status that they have.

    Examples
    --------
    >>> codes_of()[413]
    ['request-too-large']
    """
    found: dict[int, list[str]] = {}
    for code, kind in sorted(_by_code().items()):
        found.setdefault(status_of(kind("")), []).append(code)
    return dict(sorted(found.items()))


def to_problem(error: e.DatabrokerError) -> Problem:
    """Return an error as it travels.

    Examples
    --------
    >>> to_problem(e.NoSuchRun("no run 'abc'"))
    {'code': 'no-such-run', 'message': "no run 'abc'"}
    """
    said = {key: value for key in OF_DATA if isinstance(value := vars(error).get(key), str)}
    return {"code": error.code, "message": str(error)} | (said if "problem" in said else {})


def from_problem(problem: Any) -> e.DatabrokerError:
    """Return the error that `to_problem` was given; of an unknown code, as the store's failure.

    Examples
    --------
    >>> from_problem({"code": "no-such-run", "message": "no run 'abc'"})
    NoSuchRun("no run 'abc'")
    """
    if not isinstance(problem, dict):
        return e.StoreUnavailable("The server says that something failed, but not what.")
    kind = _by_code().get(str(problem.get("code")), e.StoreUnavailable)
    error = kind(str(problem.get("message", "")))
    if "problem" in problem and isinstance(error, e.ExternalDataMissing):
        # As those of this machine have it; the files are elsewhere.
        said = {key: problem.get(key) for key in OF_DATA}
        error.__dict__.update(said, path=None, recorded=None, root_map=None)
        return at_server(error)
    return error


def at_server(error: D) -> D:
    """Return an error, after a note that it is about data at a server."""
    vars(error)["at_server"] = True
    return error


def is_at_server(error: e.DatabrokerError) -> bool:
    """Tell whether an error is about data at a server, which has said all that may be known."""
    return "at_server" in vars(error)


@functools.cache
def _by_code() -> Mapping[str, type[e.DatabrokerError]]:
    kinds, found = [e.DatabrokerError], {}
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.__module__ == e.__name__ and not kind.__name__.startswith("_"):
            found[kind.code] = kind
    return found
