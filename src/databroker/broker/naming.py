"""What a text that stands for a broker is: a path, an address, or the name of a configuration."""

from __future__ import annotations

import os
import re

_ENDINGS = re.compile(r"\.(db|sqlite3?|(jsonl|msgpack)(\.gz)?|zip)\Z")
_SCHEMES = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mongodb": "mongo-normalized",
    "mongodb+srv": "mongo-normalized",
    "http": "http",
    "https": "http",
}


def is_path(text: str) -> bool:
    """Tell whether a text is a path: it has a separator, or ends as a file of runs does.

    Examples
    --------
    >>> is_path("home.db"), is_path("./runs"), is_path("beamtime")
    (True, True, False)
    """
    return os.sep in text or "/" in text or _ENDINGS.search(text) is not None


def driver_of_address(text: str) -> str | None:
    """Return the driver for the address of a database or server; None if it is none.

    Examples
    --------
    >>> driver_of_address("http://host:8000/beamline"), driver_of_address("runs.db")
    ('http', None)
    """
    scheme, colon, _ = text.partition("://")
    return _SCHEMES.get(scheme) if colon else None
