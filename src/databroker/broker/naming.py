"""What a text that stands for a broker is: a path, an address, or the name of a configuration."""

from __future__ import annotations

import os
import re

from ..errors import InvalidConfiguration

_ENDINGS = re.compile(r"\.(db|sqlite3?|(jsonl|msgpack)(\.gz)?|zip)\Z")
_SCHEMES = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mongodb": "mongo-normalized",
    "mongodb+srv": "mongo-normalized",
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
    """Return the driver for the address of a database; None if it is none.

    Examples
    --------
    >>> driver_of_address("mongodb://host/runs"), driver_of_address("runs.db")
    ('mongo-normalized', None)
    """
    scheme, colon, _ = text.partition("://")
    return _SCHEMES.get(scheme) if colon else None


def check_is_no_address(text: str) -> None:
    """Refuse an address where a path is meant.

    Raises
    ------
    InvalidConfiguration
        It says how the database is opened.
    """
    driver = driver_of_address(text)
    if driver is not None:
        raise InvalidConfiguration(
            f"{text} is the address of a database, and no path. Make a configuration of it: "
            "'databroker config make NAME ADDRESS'; or in Python, "
            f"Broker.from_config({{'driver': {driver!r}, 'uri': ...}})."
        )
