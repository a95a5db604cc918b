"""What is said when external data cannot be read: which, where it was sought, what to do.

All of these are `databroker.errors.ExternalDataMissing`, and so an OSError.
Each names the run, the field, the datum, the path that was tried, the entry of
the root map that led there, and a remedy; the same are attributes of the error.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from .._util.signals import not_from_signal
from ..errors import (
    DatabrokerError,
    ExternalDataMissing,
    FileDamaged,
    FileForbidden,
    FileMissing,
    HandlerFailed,
)

SEE_TRACEBACK = "Its traceback stands above, as the cause of this error."


class Problem(Exception):
    """What a reader found, told without knowing for whom it reads; see `explained`."""

    def __init__(self, kind: type[ExternalDataMissing], problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.kind = kind
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True)
class Place:
    """Where a file is, and how that was found."""

    path: str  # where it is sought
    recorded: str  # where it was when it was written
    root: str = ""  # the part of `recorded` that its document calls the root; '' if none
    mapped: tuple[str, str] | None = None  # the entry of the root map that was applied
    # Whether `recorded` is a path of Windows, where upper and lower case are the same.
    windows: bool = False

    def history(self) -> str:
        """Return how the path came about, in words; '' if it is just as recorded."""
        if self.mapped is None:
            return ""
        return f"(recorded as {self.recorded}; root_map {{{self.mapped[0]!r}: {self.mapped[1]!r}}})"


@dataclass(frozen=True)
class DataReference:
    """What points to some external data: told in each error.

    Examples
    --------
    >>> print(DataReference("b2c1", "img", "r/0", "AD_TIFF"))
    Field 'img' of run 'b2c1' (datum 'r/0', AD_TIFF)
    """

    run: str | None = None  # the uid of the run
    field: str | None = None  # the data key
    datum: str | None = None  # the id of the datum document
    spec: str | None = None  # the spec, or the mimetype, of the resource

    def __str__(self) -> str:
        what = "External data" if self.field is None else f"Field {self.field!r}"
        of = "" if self.run is None else f" of run {self.run!r}"
        details = [f"datum {self.datum!r}"] if self.datum is not None else []
        details += [self.spec] if self.spec is not None else []
        return what + of + (f" ({', '.join(details)})" if details else "")


def failure(
    kind: type[ExternalDataMissing],
    reference: DataReference,
    place: Place | None,
    problem: str,
    remedy: str = "",
) -> ExternalDataMissing:
    """Return an error that says everything there is to say."""
    where = f" {place.history()}" if place is not None and place.history() else ""
    end = "" if f"{problem}{where}".endswith("?") else "."
    said = f"{problem}{where}{end} {remedy}".rstrip()
    error = kind(f"{reference}: {said}")
    # An OSError has no place for these but its dictionary, which pickles with it.
    error.__dict__.update(
        run=reference.run,
        field=reference.field,
        datum=reference.datum,
        spec=reference.spec,
        problem=said,
        path=None if place is None else place.path,
        recorded=None if place is None else place.recorded,
        root_map=None if place is None else place.mapped,
    )
    return error


def no_document(document: str, reference: DataReference) -> ExternalDataMissing:
    """Return the error for a document that is not there."""
    remedy = "Were all documents of the run inserted?"
    return failure(ExternalDataMissing, reference, None, f"there is no {document}", remedy)


def _with_context(
    error: DatabrokerError, reference: DataReference, place: Place
) -> DatabrokerError:
    """Return an error with what was wanted in it, if it was raised without knowing that."""
    said = vars(error)
    if "problem" not in said:
        return error
    said["root_map"] = said["root_map"] or place.mapped
    if said["run"] or said["field"]:
        return error
    complete = type(error)(f"{reference}: {said['problem']}")
    complete.__dict__.update(said | vars(reference))
    return complete


@contextlib.contextmanager
def explained(reference: DataReference, place: Place, by: str = "") -> Iterator[None]:
    """Make an error that says everything of whatever opening or reading a file raises."""
    try:
        yield
    except DatabrokerError as error:
        raise _with_context(error, reference, place) from error.__cause__
    except not_from_signal(Exception) as error:  # of h5py, tifffile, somebody else's handler, ...
        raise _data_error(error, reference, place, by) from error


def _data_error(
    error: Exception, reference: DataReference, place: Place, by: str
) -> ExternalDataMissing:
    if isinstance(error, Problem):
        return failure(error.kind, reference, place, error.problem, error.remedy)
    if isinstance(error, FileNotFoundError) or not _may_exist(place, error):
        path = getattr(error, "filename", None) or place.path
        return failure(FileMissing, reference, place, _missing(str(path)), _moved(place))
    if isinstance(error, PermissionError):
        remedy = "Ask for the right to read it."
        return failure(FileForbidden, reference, place, f"{place.path} may not be read", remedy)
    what = f"{by} raised" if by else "reading gave"
    problem = f"{what} {type(error).__name__}: {error}"
    if isinstance(error, OSError | EOFError):
        remedy = f"Is {place.path} complete, and still being written?"
        return failure(FileDamaged, reference, place, problem.rstrip("."), remedy)
    return failure(HandlerFailed, reference, place, problem.rstrip("."), SEE_TRACEBACK)


def _may_exist(place: Place, error: Exception) -> bool:
    """Tell whether a file could be the reason: libraries say so in words of their own."""
    if not isinstance(error, OSError) or error.errno is not None:
        return True
    return os.path.exists(place.path) or "No such file" not in str(error)


def _missing(path: str) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(folder):
        return f"there is no file {path}"
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return f"there is no file {path}, and of its folder only {folder} exists"


def _moved(place: Place) -> str:
    root = place.root or os.path.dirname(place.recorded) or "/"
    return (
        f"Is the disk mounted? If the files moved, say where in the configuration: root_map: "
        f"{{{root!r}: /where/they/are}}; or in Python, db.reg.root_map[{root!r}] = "
        "'/where/they/are' (databroker.relocate looks for them)."
    )
