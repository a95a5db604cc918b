"""New configuration files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .._util.whole_files import whole_file
from ..errors import CopyRefused, InvalidConfiguration
from .names import from_mapping
from .search import user_config_dir


def make_config(
    name: str,
    values: Mapping[str, Any],
    folder: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Write a configuration file, once it is known to be one.

    Parameters
    ----------
    name
        What `Broker.named` is to be given.
    values
        What the file says: ``driver`` and what that takes.
    folder
        Where the file goes; by default, the folder of this user's configurations.
    overwrite
        Write it anew if it is there.

    Returns
    -------
    pathlib.Path
        Of the file.

    Raises
    ------
    InvalidConfiguration
        The name can be none of a file, or the values make no configuration.
    CopyRefused
        There is a file of this name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = make_config("lab", {"driver": "sqlite", "path": "runs.db"}, folder)
    ...     print(path.name, path.read_text(), sep=": ")
    lab.yml: driver: sqlite
    path: runs.db
    """
    check_name(name)
    from_mapping(values, name=name)
    place = user_config_dir() if folder is None else Path(folder).expanduser()
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{name}.yml"
    try:
        with whole_file(path, overwrite=overwrite) as begun:
            begun.touch(mode=0o600)  # there may be a password in it
            text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
            begun.write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise CopyRefused(
            f"{error} It was left as it is; with --overwrite (in Python, overwrite=True) it is "
            "written anew."
        ) from None
    return path


def check_name(name: str) -> None:
    """Refuse what can be no name of a configuration, as no file can be called so.

    Raises
    ------
    InvalidConfiguration
        It says so.

    Examples
    --------
    >>> check_name("lab")
    >>> check_name("a/b")
    Traceback (most recent call last):
    databroker.errors.InvalidConfiguration: 'a/b' can be no name of a configuration.
    """
    is_odd = name.startswith(("_", ".")) or not name.isprintable()
    if not name or is_odd or Path(name).name != name:
        raise InvalidConfiguration(f"{name!r} can be no name of a configuration.")
