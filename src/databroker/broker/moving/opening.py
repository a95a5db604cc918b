"""What people name as the source or the target of a copy, as a broker."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from ..._util.printable import shown
from ...errors import StoreUnavailable
from ...stores.base import Store
from ...stores.store_ref import StoreRef
from ..broker import Broker
from ..naming import driver_of_address, is_path
from ..whatever import open_at

if TYPE_CHECKING:
    from ...query.nodes import Node

_FILE = re.compile(r"\.(db|sqlite3?)\Z")
_NO_NEW_FILE = (os.sep, ".jsonl", ".msgpack", ".gz", ".zip")

Named = Broker | Store | StoreRef[Store] | Mapping[str, Any] | str | os.PathLike[str]


@contextmanager
def opened(named: Named, *, reading: bool = False) -> Iterator[Broker]:
    """Give the broker that is meant; what was opened for it is closed again."""
    if isinstance(named, Broker):
        yield named
    elif isinstance(named, Store | StoreRef):
        yield Broker(named.store if isinstance(named, StoreRef) else named)
    elif isinstance(named, Mapping | str | os.PathLike):
        with closing(_broker(named, reading)) as broker:
            yield broker
    else:
        raise TypeError(
            "Runs are copied between brokers, or what the name of a configuration, a path, a URI "
            f"or a mapping says, and not {shown(named)}."
        )


def query_of(broker: Broker, query: Node | Mapping[str, Any] | str | None) -> Node:
    """Return what is searched for, with what the broker adds to each search."""
    return broker(query).query


def _broker(named: Mapping[str, Any] | str | os.PathLike[str], reading: bool) -> Broker:
    if isinstance(named, Mapping):
        return Broker.from_config(named)
    text = os.fspath(named)
    driver = driver_of_address(text)
    if driver is not None:
        # Who moves runs wants to know of a server that is away, and comes again.
        options = {"uri": text, "spill": False, "read_only": reading}
        return Broker.from_config({"driver": driver, **options})
    if isinstance(named, str) and not is_path(text):
        return Broker.named(text)
    return _at(text, reading)


def _at(text: str, reading: bool) -> Broker:
    path = os.path.abspath(os.path.expanduser(text))
    if reading and not os.path.exists(path):
        raise StoreUnavailable(f"There is no file {path} to copy runs from.")
    if os.path.isdir(path) or (reading and not _FILE.search(path)):
        return open_at(path, Broker.opened)
    if text.endswith(_NO_NEW_FILE):
        raise StoreUnavailable(
            f"Nothing can be copied into {path}. A path to copy to is that of an SQLite file, such "
            "as 'runs.db', or of a folder that has files of runs. For a new folder of files, make "
            "a configuration: 'driver: jsonl' (or msgpack) and 'paths:' with the folder."
        )
    return Broker.from_config({"driver": "sqlite", "path": path, "read_only": reading})
