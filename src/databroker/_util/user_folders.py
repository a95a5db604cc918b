"""The folders that an operating system gives to each user."""

from __future__ import annotations

import os
from pathlib import Path

WINDOWS = os.name == "nt"


def user_data_dir() -> Path:
    r"""Return the folder where databroker may put data for this user.

    ``$XDG_DATA_HOME/databroker``, else ``~/.local/share/databroker``; on
    Windows ``%LOCALAPPDATA%\databroker``. It need not exist.
    """
    if WINDOWS:
        return under("LOCALAPPDATA", "~/AppData/Local") / "databroker"
    return under("XDG_DATA_HOME", "~/.local/share") / "databroker"


def user_cache_dir() -> Path:
    r"""Return the folder where databroker may put what can be made anew at any time.

    ``$XDG_CACHE_HOME/databroker``, else ``~/.cache/databroker``; on Windows
    ``%LOCALAPPDATA%\databroker\Cache``. It need not exist.
    """
    if WINDOWS:
        return user_data_dir() / "Cache"
    return under("XDG_CACHE_HOME", "~/.cache") / "databroker"


def under(variable: str, otherwise: str) -> Path:
    """Return the folder that a variable of the environment names, or else another one.

    The XDG rules: a relative path in one of these variables counts as not set.
    """
    value = os.environ.get(variable, "")
    return Path(value) if os.path.isabs(value) else absolute(otherwise)


def absolute(path: str | Path) -> Path:
    """Return a path from the root on; '~' is the home folder."""
    return Path(os.path.abspath(os.path.expanduser(path)))
