"""Where configuration files are looked for.

Everything here is worked out when it is called, never at import: a test, a
notebook or a service may change the environment while Python runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from .._util.user_folders import WINDOWS, absolute, under


def user_config_dir() -> Path:
    r"""Return the folder for this user's own configuration files.

    ``$XDG_CONFIG_HOME/databroker``, else ``~/.config/databroker``; on Windows
    ``%APPDATA%\databroker``. It need not exist.
    """
    if WINDOWS:
        return under("APPDATA", "~/AppData/Roaming") / "databroker"
    return under("XDG_CONFIG_HOME", "~/.config") / "databroker"


def config_folders() -> list[Path]:
    """Return the folders that hold one file per configuration; the first to have a name wins.

    The folders of ``$DATABROKER_PATH``, the user's own, the one of the
    environment that Python runs in, and the machine's.
    """
    folders = [*_listed("DATABROKER_PATH"), user_config_dir()]
    folders.append(absolute(Path(sys.executable).parent / ".." / "etc" / "databroker"))
    if not WINDOWS:
        # 1.x looked here whatever XDG_CONFIG_HOME said: its files are still found.
        folders.insert(-1, absolute("~/.config/databroker"))
        folders.append(Path("/etc/databroker"))
    return _once(folders)


def catalog_folders() -> list[Path]:
    """Return the folders in which databroker 1.x found catalogs (``sources:`` files)."""
    return _once([*_listed("INTAKE_PATH"), _user_catalogs(), _environment_catalogs()])


def _user_catalogs() -> Path:
    if WINDOWS:
        return under("LOCALAPPDATA", "~/AppData/Local") / "intake" / "intake"
    if sys.platform == "darwin":
        return absolute("~/Library/Application Support/intake")
    return under("XDG_DATA_HOME", "~/.local/share") / "intake"


def _environment_catalogs() -> Path:
    # As 1.x decided it: an activated environment first, then the machine.
    if os.environ.get("VIRTUAL_ENV"):
        return absolute(os.environ["VIRTUAL_ENV"]) / "share" / "intake"
    if os.environ.get("CONDA_DEFAULT_ENV") or sys.prefix != sys.base_prefix:
        return absolute(sys.prefix) / "share" / "intake"
    if WINDOWS:
        return under("PROGRAMDATA", "C:/ProgramData") / "intake" / "intake"
    if sys.platform == "darwin":
        return Path("/Library/Application Support/intake")
    return Path("/usr/local/share/intake")


def _listed(variable: str) -> list[Path]:
    return [absolute(item) for item in os.environ.get(variable, "").split(os.pathsep) if item]


def _once(folders: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(folders))
