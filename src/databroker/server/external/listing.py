"""External files, as the server has them: called what they were when they were recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...errors import DatabrokerError
from ...external.files.listing import Words, external_files
from ...external.references import Place
from ...external.registry import Registry
from ...query.time_limit import check_time
from ...stores.external import ExternalFile
from .errors import as_recorded, told
from .reader import is_too_open, session_of

if TYPE_CHECKING:
    from ...runs.session import Session


def list_files(session: Session, allow_writing: bool, run: str) -> Iterator[ExternalFile]:
    """Yield the external files of a run; see `Store.list_external`."""
    session = session_of(session, run)
    registry = session.registry
    if is_too_open(registry, allow_writing):
        registry = Registry(allowed_roots=(os.devnull,))  # in which nothing is
    for file in external_files(session.store, registry, run, session.transforms, AsRecorded()):
        check_time()
        yield file


class AsRecorded(Words):
    """Files are told by the paths at which they were recorded."""

    def path(self, path: str, place: Place) -> str:
        """Return what the path of a file was when it was written."""
        said = {"path": place.path, "recorded": place.recorded, "root_map": place.mapped}
        return as_recorded(path, said)

    def problem(self, error: DatabrokerError) -> str:
        """Return what a client may know of a problem."""
        return str(told(error))
