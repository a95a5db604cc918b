"""The external files of runs, as a list that shows what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from .._util.printable import printable

if TYPE_CHECKING:
    import pandas as pd

    from ..stores.external import ExternalFile
    from .session import Session

Progress = Callable[[int, str], Any]
"""Is called after each run with how many are done, and its uid."""

COLUMNS = (
    *("run", "path", "exists", "size", "fields", "spec", "resource", "recorded", "problem"),
    "at_server",
)
"""The attributes of `databroker.external.ExternalFile`."""


class Files(list["ExternalFile"]):
    """External files: a list that is shown as a table.

    Obtained by `Header.files` and `Results.files`.

    Examples
    --------
    >>> from databroker.external import ExternalFile
    >>> files = Files([
    ...     ExternalFile("/data/a.h5", True, 2_000_000, ("img",), "b2c1", "r", "HDF5", "/data/a"),
    ...     ExternalFile("/data/b.h5", False, None, ("cam",), "b2c1", "s", "HDF5", "/data/b"),
    ... ])
    >>> files
    2 files, 1 there (2.0 MB)
    exists  size    fields  path
    yes     2.0 MB  img     /data/a.h5
    no              cam     /data/b.h5
    >>> files.total, [file.path for file in files.missing]
    (2000000, ['/data/b.h5'])
    """

    @property
    def missing(self) -> Files:
        """Those that are nowhere: neither here nor at the server of the runs."""
        return Files(file for file in self if not file.exists)

    @property
    def total(self) -> int:
        """The size of those that are there, in bytes; a file of several runs counts once."""
        return sum({file.path: file.size or 0 for file in self}.values())

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row for each file.

        Its columns are the attributes of `databroker.external.ExternalFile`; the names of
        fields have commas between them.

        Examples
        --------
        >>> Files().to_frame().columns.tolist()[:4]
        ['run', 'path', 'exists', 'size']
        """
        import pandas as pd

        frame = pd.DataFrame([vars(file) for file in self], columns=list(COLUMNS), dtype=object)
        frame["fields"] = [", ".join(file.fields) for file in self]
        return frame.astype({"exists": "bool", "size": "Int64"})

    @overload
    def __getitem__(self, key: SupportsIndex) -> ExternalFile: ...

    @overload
    def __getitem__(self, key: slice) -> Files: ...

    def __getitem__(self, key: SupportsIndex | slice) -> ExternalFile | Files:
        found = super().__getitem__(key)
        return Files(found) if isinstance(found, list) else found

    def __repr__(self) -> str:
        from ..external.files.table import files_text

        return printable(files_text(self))

    def _repr_html_(self) -> str:
        from ..external.files.table import files_html

        return files_html(self)


def files_of(runs: Iterable[tuple[Session, str]], progress: Progress | None = None) -> Files:
    """Return the external files of some runs (each by its session and uid), one after the other."""
    from ..external.files.listing import external_files

    listed = Files()
    for number, (session, uid) in enumerate(runs, 1):
        listed += external_files(session.store, session.registry, uid, session.transforms)
        if progress is not None:
            progress(number, uid)
    return listed
