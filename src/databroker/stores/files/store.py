"""Folders of files, each with the documents of one run, as a store."""

from __future__ import annotations

import functools
import os
import weakref
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..._util.forks import tell_of_forks
from ...documents.files.formats import Format
from ...documents.files.jsonl import JSONLines
from ...documents.files.packed import Packed
from ...errors import StoreIsReadOnly, StoreUnavailable
from ..base import LINKED, Capabilities, RunRecord, Store
from ..checking import CheckProgress, CheckReport
from ..rows import Extent
from .check import check_files
from .following import Follower
from .kept import KeptIndex, kept_indexes
from .places import Places, located
from .rows import RowCache
from .telling import FaultNotices
from .writing import Writer, stored_datum

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node
    from ...query.nodes import Path as DocumentPath

Doc = dict[str, Any]

LOOSE = "without-run"
"""How the name of the file begins that has what came before the start of its run."""


class FileStore(Store):
    """Documents in files, one for each run; an index in the user's cache answers for them.

    Parameters
    ----------
    paths
        A folder, a glob or a file, or several; new runs go to the folder of the first one.
    read_only
        Refuse to write.
    index
        The folder for the index; by default (True) one in the user's cache, with False
        a temporary one.

    Raises
    ------
    InvalidConfiguration
        A path is that of a file of another kind.
    StoreUnavailable
        A folder may not be read.
    """

    format: ClassVar[Format]

    def __init__(
        self,
        paths: str | os.PathLike[str] | list[str | os.PathLike[str]],
        *,
        read_only: bool = False,
        index: bool | str | os.PathLike[str] = True,
    ) -> None:
        super().__init__()
        self._read_only = read_only
        self._index = index
        loose = f"{LOOSE}{self.format.suffix}.part"
        self._places = Places(located(paths), self.format.suffix, loose)
        self._places.check()
        notices = FaultNotices(self.format.place)
        # What is weak here makes no circle: files are closed as soon as nobody has the store.
        self._follower = Follower(weakref.proxy(self), self.format, self._places, notices, index)
        self._rows = RowCache(self.format, notices)
        self._writer = Writer(self._follower, self._rows, self.format, self._places)
        tell_of_forks(self)

    def __str__(self) -> str:
        return f"{self.format.name}: {', '.join(self._places.paths)}"

    def __reduce__(self) -> Any:
        make = functools.partial(type(self), read_only=self._read_only, index=self._index)
        return make, (list(self._places.paths),), {"stale_after": self.stale_after}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What this store can do; it is written to where the first path says into which folder."""
        folder = self._places.folder
        writable = not self._read_only and folder is not None and _may_write(folder)
        return Capabilities(writable, shared=True, exact=self.format.exact, live=True)

    @classmethod
    def kept_indexes(cls) -> Iterator[KeptIndex]:
        """Yield the indexes in the user's cache, also those of files that are gone."""
        return kept_indexes(cls.format.name)

    # -- writing ---------------------------------------------------------

    def put(self, kind: str, doc: Doc) -> None:
        self.put_many([(kind, doc)])

    def put_many(self, documents: Sequence[tuple[str, Doc]]) -> None:
        """Keep documents, all or none, in one write for each file."""
        if not self.capabilities.writable:
            raise StoreIsReadOnly(
                f"Nothing can be added to {self}. Check the permissions of the folder and the "
                "`read_only` option; the first of the paths must be a folder, or a glob in one."
            )
        self._writer.put(documents)

    # -- finding runs ----------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        yield from self._follower.refresh().find(query, limit=limit, after=after)

    def count(self, query: Node) -> int:
        return self._follower.refresh().count(query)

    def record(self, uid: str) -> RunRecord | None:
        return self._follower.refresh().record(uid)

    def resolve(self, prefix: str, limit: int) -> list[str]:
        return self._follower.refresh().resolve(prefix, limit)

    def select(
        self, query: Node, paths: Sequence[DocumentPath], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        yield from self._follower.refresh().select(query, paths, limit)

    def distinct(self, path: DocumentPath, query: Node) -> list[tuple[Any, int]]:
        return self._follower.refresh().distinct(path, query)

    def keys(self, most: int) -> list[str]:
        return self._follower.refresh().keys(most)

    # -- reading a run ---------------------------------------------------

    def documents(self, uid: str, kinds: Collection[str] = LINKED) -> Iterator[tuple[str, Doc]]:
        return self._follower.refresh().documents(uid, kinds)

    def resource(self, uid: str) -> Doc | None:
        return self._follower.refresh().resource(uid)

    def datum(self, datum_id: str) -> Doc | None:
        return stored_datum(self._follower.refresh(), self._rows, datum_id)

    def run_of(self, kind: str, owner: str) -> str | None:
        return self._follower.refresh().run_of(kind, owner)

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return one extent for each file that has rows of an owner; mostly it is one."""
        found = []
        for path in self._follower.refresh().paths_of(kind, owner):
            series = self._rows.series(path, kind, owner)
            if series is not None and series.numbers is not None:
                found.append(Extent(len(series.places), *series.numbers, (owner, path)))
        return found

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        owner, path = extent.token
        series = self._rows.series(path, kind, owner)
        if series is None or len(series.places) < extent.rows:
            raise StoreUnavailable(f"{path} is gone, or is not what it was. Read the run again.")
        first, stop = rows or (0, extent.rows)
        yield from series.part(first, stop, None if selection.is_all else selection)

    # -- the store -------------------------------------------------------

    def check(self, progress: CheckProgress | None = None, mend_index: bool = False) -> CheckReport:
        """Read all files once, and say what could not be read, by name and place.

        The index is made of the files, and made anew if it is to be mended.
        """
        if mend_index:
            self._follower.remake()
        paths = sorted(self._places.look())
        found, checked = [], Counter[str](files=0, documents=0)
        for number, path in enumerate(paths, 1):
            findings, documents = check_files(self.format, path, self._follower.refresh())
            found += findings
            checked += Counter(files=1, documents=documents)
            if progress is not None:
                progress(number, len(paths))
        return CheckReport(tuple(found), checked)

    def size(self) -> int:
        """Return how many bytes the files take."""
        return sum(stamp.size for stamp in self._places.look().values())

    def state(self) -> Hashable:
        index = self._follower.refresh()
        return index.state(), self._follower.changes

    def close(self) -> None:
        self._follower.close()

    def before_fork(self) -> None:
        """Do nothing: what another thread is doing goes on in this process."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Take nothing as known that another thread may have been changing."""
        self._follower.begin_anew()
        self._rows.begin_anew()


def _may_write(folder: str) -> bool:
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return os.access(folder, os.W_OK)


class JSONLStore(FileStore):
    """Runs in files of JSON lines.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = JSONLStore(folder.name)
    >>> store.insert("start", {"uid": "a", "time": 1.0})
    >>> os.listdir(folder.name)
    ['a.jsonl']
    >>> store.close(); folder.cleanup()
    """

    format = JSONLines()


class MsgpackStore(FileStore):
    """Runs in files of MessagePack.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = MsgpackStore(folder.name)
    >>> store.insert("start", {"uid": "a", "time": 1.0})
    >>> os.listdir(folder.name)
    ['a.msgpack']
    >>> store.close(); folder.cleanup()
    """

    format = Packed()
