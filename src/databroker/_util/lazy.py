"""Modules, and names of a package, that are imported when they are first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from .signals import whole_module


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package whose names are in other modules.

    Parameters
    ----------
    package
        Its ``__name__``.
    homes
        The module of each name, seen from the package: '.broker'. With a colon, another name
        than here: '.errors:InvalidConfiguration'.

    Examples
    --------
    >>> lazy_names("os", {"joined": ".path:join"})("joined")("a", "b")
    'a/b'
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, known_as = homes[name].partition(":")
        value = getattr(importlib.import_module(module, package), known_as or name)
        setattr(sys.modules[package], name, value)
        return value

    return find


class _LazyModule(ModuleType):
    """Has what is in a module from the first use on: a second use costs no more than elsewhere."""

    def __getattr__(self, name: str) -> Any:
        module = whole_module(self.__name__)
        self.__dict__.update(module.__dict__)
        return getattr(module, name)


def lazy_module(name: str) -> Any:
    """Return what stands for a module, which is imported when something of it is used.

    It is for large libraries in modules that are needed by those, too, who do not use them.

    Examples
    --------
    >>> lazy_module("math").floor(2.5)
    2
    """
    return _LazyModule(name)
