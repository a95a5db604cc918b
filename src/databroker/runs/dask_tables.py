"""Many runs for dask: each partition is a page of runs, read in the process that needs it.

A partition holds uids, and how to open the store; nothing of what it will read. That all
partitions of a dataframe have the same columns is seen to before, by what descriptors declare:
single numbers are floats, as any of them may be missing, and everything else is an object.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from .._util.printable import shown
from ..errors import InvalidQuery, NoSuchField, StoreUnavailable
from ..extras import require
from ..query.nodes import In, Path
from ..stores.store_ref import StoreRef
from .run import Run
from .session import Session, StoreView
from .stream.fields import ALWAYS, select
from .stream.many import Wanted
from .stream.run_tables import Options, RunTables, TablePage, in_one
from .stream.table import table_from, with_runs

if TYPE_CHECKING:
    from ..external.fields.filling import Fill
    from ..stores.base import Store
    from .stream.fields import Fields

_NUMBERS = (int, float, bool, type(None))


class Source:
    """What runs are read from, in any process: a store is opened once in each."""

    def __init__(self, session: Session) -> None:
        self._store: StoreRef[Store] = StoreRef(session.store)
        self._others = session.source, session.timezone
        self._token = str(uuid.uuid4())  # more may have been inserted when it is made again

    def __dask_tokenize__(self) -> str:
        return self._token

    @property
    def session(self) -> Session:
        """The session, on the whole store."""
        return Session(StoreView(self._store.store), *self._others)

    def checked(self, uids: Sequence[str]) -> Sequence[str]:
        """Return uids of runs, which the store must have here, too."""
        store = self.session.store
        here = store.count(In(Path("uid"), tuple(uids)))
        if here != len(uids):
            raise StoreUnavailable(
                f"{store} has only {here} of {len(uids)} runs that were there before. If this is "
                "another machine, does the store's path lead to the same place from here?"
            )
        return uids

    def run(self, uid: str) -> Run:
        """Return a run by its uid."""
        session = self.session
        record = session.store.record(uid)
        assert record is not None  # as was checked
        return Run(session, record)

    def documents(self, uids: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
        """Return (name, document) for all documents of some runs."""
        return [pair for uid in self.checked(uids) for pair in self.run(uid).documents()]


@dataclass(frozen=True)
class TableSource:
    """What the tables of runs are read from, in any process."""

    source: Source
    fields: Fields
    fill: Fill
    options: Options

    def reader(self) -> RunTables:
        """Return what reads them."""
        wanted = Wanted(self.fields, self.fill)
        return RunTables(self.source.session, self.source.run, wanted, self.options)

    def pages(self, uids: Sequence[str]) -> Iterator[TablePage]:
        """Yield the tables of runs."""
        return self.reader().pages(self.source.checked(uids))

    def tables(self, uids: Sequence[str]) -> list[tuple[str, pd.DataFrame]]:
        """Return the uids of those runs that have the stream, and their tables."""
        return [pair for page in self.pages(uids) for pair in page.in_order()]

    def like(self, uids: Iterable[str]) -> pd.DataFrame:
        """Return a table without rows, with the columns that those of these runs are to have."""
        numbers: dict[str, bool] = {}
        for keys in self.reader().data_keys(uids):
            for name, key in keys.items():
                numbers[name] = numbers.get(name, True) and _is_number(key)
        names = numbers if self.fields is None else _chosen(self.fields, numbers)
        columns = {name: np.empty(0, np.float64 if numbers.get(name) else object) for name in names}
        options = self.options
        none = np.empty(0), np.empty(0, np.int64)
        return table_from(*none, columns, options.convert_times, options.timezone)


class Page(NamedTuple):
    """Some runs, and what the rows of each say of it."""

    uids: Sequence[str]
    runs: pd.DataFrame


@dataclass(frozen=True)
class Partition:
    """Makes a partition of a dataframe of a page."""

    source: TableSource
    like: pd.DataFrame

    def __call__(self, page: Page) -> pd.DataFrame:
        """Read the runs."""
        table, owners = in_one(self.source.pages(page.uids))
        return with_runs(_fitted(table, self.like), page.runs.take(owners))


def dataframe(source: TableSource, uids: Sequence[str], runs: pd.DataFrame, size: int) -> Any:
    """Return the tables of runs as one dataframe; `runs` has a row for each of them."""
    module = require("dask.dataframe", "arrays")
    like = source.like(uids)
    pages = [Page(uids[part], runs.iloc[part]) for part in _parts(len(uids), size)]
    meta = with_runs(like, runs.iloc[:0])
    # Objects may be arrays as well as text.
    with require("dask", "arrays").config.set({"dataframe.convert-string": False}):
        return module.from_map(Partition(source, like), pages, meta=meta)


def bag(read: Callable[[Sequence[str]], list[Any]], uids: Sequence[str], size: int) -> Any:
    """Return what is read of runs, of so many at once, as a bag."""
    module = require("dask.bag", "arrays")
    pages = [uids[part] for part in _parts(len(uids), size)]
    return module.from_sequence(pages, npartitions=max(len(pages), 1)).map(read).flatten()


def _parts(runs: int, size: int) -> list[slice]:
    if size < 1:
        raise InvalidQuery(f"runs_per_partition is a number from 1 upwards, not {shown(size)}")
    return [slice(first, first + size) for first in range(0, max(runs, 1), size)]


def _is_number(key: Any) -> bool:
    """Tell whether a field is declared to be a single number."""
    if not isinstance(key, Mapping) or key.get("external") or key.get("shape"):
        return False
    return key.get("dtype") in ("number", "integer")


def _chosen(fields: Fields, keys: Iterable[str]) -> list[str]:
    """Return the data keys that are meant, then names of what stands elsewhere in documents."""
    descriptor = {"uid": "", "data_keys": dict.fromkeys(keys)}
    meant: set[str] = set()
    others: list[str] = []
    for name in [fields] if isinstance(fields, str) else fields or ():
        try:
            found = select([name], [descriptor], {}, {}).data
        except NoSuchField:
            found = None
        meant.update(found or ())
        if not found and name not in ALWAYS:
            others.append(name)
    return [*filter(meant.__contains__, descriptor["data_keys"]), *others]


def _fitted(table: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the columns of another one, and their types."""
    attrs = table.attrs
    table = table.reindex(columns=like.columns)
    wrong = [name for name, dtype in like.dtypes.items() if table[name].dtype != dtype]
    for name in wrong:
        if like[name].dtype == np.float64 and table[name].dtype == object:
            _check_numbers(name, table[name])
    table = table.astype({name: like[name].dtype for name in wrong})
    table.attrs = attrs
    return table


def _check_numbers(name: object, column: pd.Series[Any]) -> None:
    other = next((value for value in column if not isinstance(value, _NUMBERS)), None)
    if other is not None:
        raise InvalidQuery(
            f"The field {name!r} is declared as a number, and holds {shown(other)}: a dask "
            "dataframe has one type for each column. Leave it out with `fields`, or use "
            "tables().to_bag()."
        )
