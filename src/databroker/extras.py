"""Packages that only some of the functions need, imported when they are first used."""

from __future__ import annotations

import importlib
from typing import Any

from .errors import MissingExtra


def require(module: str, extra: str) -> Any:
    """Import an optional package, or say which extra of ``databroker`` installs it.

    Examples
    --------
    >>> require("json", "arrays").loads("[1]")
    [1]
    >>> require("no_such_package", "arrays")
    Traceback (most recent call last):
    databroker.errors.MissingExtra: This needs the package 'no_such_package': pip install ...
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or module).partition(".")[0]
        if package == "databroker":
            raise
        raise MissingExtra(
            f"This needs the package {package!r}: pip install 'databroker[{extra}]'"
        ) from error
