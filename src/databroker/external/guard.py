"""Files of this machine: what is one, and how those are opened that others would fetch.

Some libraries take a path that looks like a URL and ask the host in it. So a document
must never choose what they are given: a path that looks like one is refused, and what
can be opened here is handed to them open.
"""

from __future__ import annotations

import importlib
import ntpath
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from .._util.signals import suppressed

_SCHEME = re.compile(
    # Of two letters or more, as one is a drive; a chain is what fsspec makes of '::'.
    r"[a-z][a-z0-9+.-]+:[/\\]|(?:file|https?|ftp):|(?![/\\]|[a-z]:[/\\]).*::.*:",
    re.IGNORECASE | re.DOTALL,
)

_UNPACKED = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
"""The module that unpacks files with each ending."""


def is_remote(path: str) -> bool:
    """Tell whether some library may take a path for a URL.

    Examples
    --------
    >>> is_remote("http://host/a.csv"), is_remote("s3://bucket/a"), is_remote("a::https://host/b")
    (True, True, True)
    >>> is_remote("/data/a.csv"), is_remote("C:/data/a.csv"), is_remote("scan:1.csv")
    (False, False, False)
    """
    return _SCHEME.match(path.lstrip()) is not None


def share_of(path: str) -> str:
    r"""Return the host and share that Windows would ask for a path; '' for one on this machine."""
    share = ntpath.splitdrive(path)[0].replace("\\", "/").casefold()
    return share if share.startswith("//") else ""


def is_odd_file(path: str) -> bool:
    """Tell whether a path is a pipe, a socket or a device: reading one may never end."""
    with suppressed(OSError, ValueError):
        mode = os.stat(path).st_mode
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    return False


@contextmanager
def open_uncompressed(path: str) -> Iterator[IO[bytes]]:
    """Open a file for reading; one whose name ends in .gz, .bz2 or .xz is unpacked."""
    with open(path, "rb") as file:
        unpack = _UNPACKED.get(os.path.splitext(path)[1].lower())
        if unpack is None:
            yield file
        else:
            with importlib.import_module(unpack).open(file) as unpacked:
                yield unpacked
