"""The SQLite store: documents in one file."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import StoreIsReadOnly, StoreUnavailable
from ..base import Capabilities
from .engine.limits import DEFAULT, Limits
from .engine.sqlite.checkpoint import Tidier, tidy
from .engine.sqlite.connections import SQLiteConnections
from .engine.sqlite.file import located
from .store import SQLStore
from .writing import Writer

if TYPE_CHECKING:
    from .engine.sqlite.backup import Progress
    from .integrity.base import Check


class SQLiteStore(SQLStore):
    """Documents in one SQLite file.

    Parameters
    ----------
    path
        The file; it is made where there is none.
    durability
        'normal': what was inserted survives a crash of the process. 'full':
        it survives a loss of power too, and inserting is slower.
    read_only
        Refuse to write.
    create
        Whether to make the file where there is none.
    limits
        How much is done at once: others than these are for tests.

    Raises
    ------
    StoreUnavailable
        The file cannot be opened.
    ForeignStore
        It belongs to another program or to a newer databroker.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = SQLiteStore(folder.name + "/runs.db")
    >>> store.insert("start", {"uid": "a", "time": 1.0})
    >>> store.record("a").start
    {'uid': 'a', 'time': 1.0}
    >>> store.close(); folder.cleanup()
    """

    # In a large index, each group writes most pages that have common values: four times as many
    # documents in a group are a sixth of what is written to the disk.
    group_size = 64_000

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: str = "normal",
        read_only: bool = False,
        create: bool = True,
        limits: Limits = DEFAULT,
    ) -> None:
        super().__init__()
        self._options: dict[str, Any] = {
            "durability": durability,
            "read_only": read_only,
            "limits": limits,
        }
        self.path = located(path)
        if not (create or os.path.exists(self.path)):
            raise StoreUnavailable(
                f"There is no file {self.path} on this machine. What was pickled here refers to "
                "the file; it must be reachable under the same path."
            )
        self._connections: SQLiteConnections = SQLiteConnections(
            self.path, durability, read_only, limits
        )
        self._writer = Writer(self._connections)
        self._tidier = Tidier(self._connections)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What this store can do; a file without write permission is only read."""
        writable = not self._connections.read_only
        return Capabilities(writable, shared=True, exact="exact", live=True, backup=True)

    def __str__(self) -> str:
        return f"sqlite: {self.path}"

    def __reduce__(self) -> Any:
        make = functools.partial(SQLiteStore, **self._options, create=False)
        return make, (str(self.path),), {"stale_after": self.stale_after}

    def _wrote(self, kinds: set[str], ended_large: bool) -> None:
        if ended_large:
            self._connections.write(tidy)
        self._tidier.wrote("stop" if "stop" in kinds else next(iter(kinds)))

    def close(self) -> None:
        self._tidier.close()
        self._connections.close()

    def backup(self, path: Path, progress: Progress | None) -> None:
        from .engine.sqlite.backup import copy_database

        file = self._connections.file
        self._connections.alone(lambda one: copy_database(one, file, path, progress))

    def size(self) -> int:
        """Return how many bytes the file takes, with what is beside it."""
        files = [path for end in ("", "-wal") if (path := Path(f"{self.path}{end}")).exists()]
        return sum(path.stat().st_size for path in files)

    def _check_of_structure(self) -> Callable[[Check], None]:
        from .integrity.structure import check_structure

        return check_structure

    def _read_only(self) -> StoreIsReadOnly:
        return StoreIsReadOnly(
            f"{self.path} is open for reading only. Check the permissions of the file and of "
            "its folder, and the `read_only` option."
        )
