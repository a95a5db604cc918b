"""The formats there are: ours, each in a module that is imported when it is used, and plugins."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from .._util.printable import shown
from .._util.signals import not_from_signal
from .._util.suggestions import did_you_mean
from ..errors import DatabrokerError, NotSupported
from .format import Format

GROUP = "databroker.export"
"""The group of entry points."""

_OURS = {
    "csv": "csv:CSV",
    "xlsx": "xlsx:Excel",
    "parquet": "parquet:Parquet",
    "spec": "spec:SPEC",
    "json": "documents:JSON",
    "jsonl": "documents:JSONLines",
    "msgpack": "documents:MessagePack",
    "nexus": "nexus:NeXus",
    "netcdf": "arrays:NetCDF",
    "zarr": "arrays:Zarr",
    "tiff": "tiff:TIFF",
}
"""The module and class of each of our formats, by name."""


def formats() -> dict[str, str]:
    """Return the names of all formats, and what each is for.

    Examples
    --------
    >>> formats()["jsonl"]
    'all documents, exactly, one in each line; databroker reads it again'
    """
    found = {name: _ours(name).about for name in _OURS}
    return found | {name: entry.load().about for name, entry in _plugins().items()}


def format_names() -> list[str]:
    """Return the names of all formats; none is imported for that.

    Examples
    --------
    >>> "csv" in format_names()
    True
    """
    return [*_OURS, *_plugins()]


def format_of(name: str, **options: Any) -> Format:
    """Return a format by its name.

    Parameters
    ----------
    name
        One of `formats`.
    **options
        What the format takes.

    Raises
    ------
    NotSupported
        There is no such format, or it has no such option.

    Examples
    --------
    >>> format_of("jsonl").suffix
    '.jsonl'
    """
    plugins = {} if name in _OURS else _plugins()
    if name not in _OURS and name not in plugins:
        known = [*_OURS, *plugins]
        raise NotSupported(
            f"There is no format {shown(name)} to export to.{did_you_mean(name, known)} "
            f"There are: {', '.join(known)}."
        )
    kind = _ours(name) if name in _OURS else plugins[name].load()
    try:
        made: Format = kind(**options)
    except DatabrokerError:
        raise
    except not_from_signal(TypeError, ValueError) as error:
        if not options:
            raise
        known = _options_of(kind)
        unknown = [shown(option) for option in options if option not in known]
        if isinstance(error, TypeError) and unknown:
            has = f"its options are: {', '.join(known)}" if known else "it has none"
            raise NotSupported(f"The format {name!r} has no option {unknown[0]}; {has}.") from None
        raise NotSupported(f"The format {name!r} does not take that: {error}.") from None
    return made


def _options_of(kind: type[Format]) -> list[str]:
    makers = [vars(each)["__init__"] for each in kind.__mro__[:-1] if "__init__" in vars(each)]
    return [
        name
        for maker in makers
        for name, each in inspect.signature(maker).parameters.items()
        if name != "self" and each.kind is not each.VAR_KEYWORD
    ]


def format_of_path(path: str) -> str:
    """Return the name of the format whose suffix a path ends with.

    Raises
    ------
    NotSupported
        No format has it.

    Examples
    --------
    >>> format_of_path("runs/a.jsonl")
    'jsonl'
    """
    suffixes = {name: _ours(name).suffix for name in _OURS}
    suffixes |= {name: entry.load().suffix for name, entry in _plugins().items()}
    for name, suffix in suffixes.items():
        if path.lower().endswith(suffix):
            return name
    raise NotSupported(
        f"No format is known for {shown(path)}. Files end with {', '.join(suffixes.values())}."
    )


def _ours(name: str) -> type[Format]:
    module, _, kind = _OURS[name].partition(":")
    found: type[Format] = getattr(importlib.import_module(f"{__package__}.{module}"), kind)
    return found


def _plugins() -> Mapping[str, Any]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in _OURS}
