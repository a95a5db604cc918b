"""Errors of external data as clients get them.

Documents say where a file was when it was written; where it is on the server, and what is around
it there, is for the log alone.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from ...errors import (
    DatabrokerError,
    ExternalDataMissing,
    FileForbidden,
    FileMissing,
    FileRefused,
    HandlerFailed,
    InvalidConfiguration,
    MissingExtra,
    NoHandler,
)
from ...external.guard import is_remote
from ...external.references import SEE_TRACEBACK, DataReference, failure
from ...stores.wire.problems import at_server, is_at_server

_LOG = logging.getLogger("databroker.server")

_WORDS = {
    FileMissing: "the server has no file that was recorded as {path}; its log says where it looked",
    FileForbidden: "the server may not read {path}",
    FileRefused: "the server does not open {path}: it is in none of the folders that it may read",
}

_SEE_LOG = "Its traceback is in the log of the server."


@contextlib.contextmanager
def without_paths() -> Iterator[None]:
    """Let errors say what a client may know: paths on the server are for its log alone."""
    try:
        yield
    except (ExternalDataMissing, NoHandler, MissingExtra, InvalidConfiguration) as error:
        known = told(error)
        if known is error:
            raise
        raise known from error


def told(error: DatabrokerError) -> DatabrokerError:
    """Return an error that says what a client may know; the log has all."""
    if not isinstance(error, ExternalDataMissing):
        return type(error)(f"On the server: {error}")
    if "problem" not in vars(error) or is_at_server(error):
        return error
    _LOG.warning("%s", error, exc_info=error if isinstance(error, HandlerFailed) else None)
    return _told(error, vars(error))


def _told(error: ExternalDataMissing, said: dict[str, Any]) -> ExternalDataMissing:
    who = DataReference(said["run"], said["field"], said["datum"], said["spec"])
    words = None if is_remote(said["path"] or "") else _WORDS.get(type(error))
    if words is None:
        problem = str(said["problem"]).replace(SEE_TRACEBACK, _SEE_LOG)
        problem = f"on the server, {as_recorded(problem, said)}".rstrip(".")
    else:
        path = getattr(error.__cause__, "filename", None) or said["path"]
        problem = words.format(path=as_recorded(str(path), said))
    return at_server(failure(type(error), who, None, problem))


def as_recorded(text: str, said: dict[str, Any]) -> str:
    """Return text in which a file is called what it was when it was written."""
    if said["root_map"] is not None:
        old, new = said["root_map"]
        text = text.replace(f" (recorded as {said['recorded']}; root_map {{{old!r}: {new!r}}})", "")
        text = text.replace(said["path"], said["recorded"]).replace(new, old)
    return text
