"""Opening whatever is at a path or address."""

from __future__ import annotations

import os

from ..broker.whatever import open_at
from .broker import Broker


def open(path: str | os.PathLike[str]) -> Broker:
    """Open whatever has runs at a path or address.

    Parameters
    ----------
    path
        An SQLite file of databroker; a folder of JSON lines or MessagePack files, or one such
        file; a packed catalog, which is a folder with a ``catalog.yml``; a zip of one of these
        folders; or a configuration file. A packed catalog, or what is in a zip, is only read.
        Or the address of what `databroker serve` serves, or of a PostgreSQL or MongoDB database.

    Returns
    -------
    Broker
        Named after the file or folder. Of a zip, the files that were unpacked are removed
        when it is no longer used.

    Raises
    ------
    StoreUnavailable
        There is nothing at this path, or no server. (Nothing is made: to begin a new database, use
        `Broker.from_config`.)
    InvalidConfiguration
        What is there cannot be opened; the message says what can.

    Examples
    --------
    >>> import tempfile, databroker
    >>> folder = tempfile.TemporaryDirectory()
    >>> db = databroker.Broker.from_config({"driver": "jsonl", "paths": folder.name})
    >>> db.insert("start", {"uid": "a", "time": 1.0})
    >>> databroker.open(folder.name)[-1].uid
    'a'
    >>> folder.cleanup()
    """
    return open_at(path, Broker.opened)
