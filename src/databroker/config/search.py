"""Where configuration files are looked for.

Everything here is worked out when it is called, never at import: a test, a
notebook or a service may change the environment while Python runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

_WINDOWS = os.name == "nt"


def user_config_dir() -> Path:
    r"""Return the folder for this user's own configuration files.

    ``$XDG_CONFIG_HOME/databroker``, else ``~/.config/databroker``; on Windows
    ``%APPDATA%\databroker``. It need not exist.
    """
    if _WINDOWS:
        return _under("APPDATA", "~/AppData/Roaming") / "databroker"
    return _under("XDG_CONFIG_HOME", "~/.config") / "databroker"


def user_data_dir() -> Path:
    r"""Return the folder where databroker may put data for this user.

    ``$XDG_DATA_HOME/databroker``, else ``~/.local/share/databroker``; on
    Windows ``%LOCALAPPDATA%\databroker``. It need not exist.
    """
    if _WINDOWS:
        return _under("LOCALAPPDATA", "~/AppData/Local") / "databroker"
    return _under("XDG_DATA_HOME", "~/.local/share") / "databroker"


def config_folders() -> list[Path]:
    """Return the folders that hold one file per configuration; the first to have a name wins.

    The folders of ``$DATABROKER_PATH``, the user's own, the one of the
    environment that Python runs in, and the machine's.
    """
    folders = [*_listed("DATABROKER_PATH"), user_config_dir()]
    folders.append(_absolute(Path(sys.executable).parent / ".." / "etc" / "databroker"))
    if not _WINDOWS:
        # 1.x looked here whatever XDG_CONFIG_HOME said: its files are still found.
        folders.insert(-1, _absolute("~/.config/databroker"))
        folders.append(Path("/etc/databroker"))
    return _once(folders)


def catalog_folders() -> list[Path]:
    """Return the folders in which databroker 1.x found catalogs (``sources:`` files)."""
    return _once([*_listed("INTAKE_PATH"), _user_catalogs(), _environment_catalogs()])


def _user_catalogs() -> Path:
    if _WINDOWS:
        return _under("LOCALAPPDATA", "~/AppData/Local") / "intake" / "intake"
    if sys.platform == "darwin":
        return _absolute("~/Library/Application Support/intake")
    return _under("XDG_DATA_HOME", "~/.local/share") / "intake"


def _environment_catalogs() -> Path:
    # As 1.x decided it: an activated environment first, then the machine.
    if os.environ.get("VIRTUAL_ENV"):
        return _absolute(os.environ["VIRTUAL_ENV"]) / "share" / "intake"
    if os.environ.get("CONDA_DEFAULT_ENV") or sys.prefix != sys.base_prefix:
        return _absolute(sys.prefix) / "share" / "intake"
    if _WINDOWS:
        return _under("PROGRAMDATA", "C:/ProgramData") / "intake" / "intake"
    if sys.platform == "darwin":
        return Path("/Library/Application Support/intake")
    return Path("/usr/local/share/intake")


def _listed(variable: str) -> list[Path]:
    return [_absolute(item) for item in os.environ.get(variable, "").split(os.pathsep) if item]


def _under(variable: str, otherwise: str) -> Path:
    # The XDG rules: a relative path in one of these variables counts as not set.
    value = os.environ.get(variable, "")
    return Path(value) if os.path.isabs(value) else _absolute(otherwise)


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))


def _once(folders: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(folders))
