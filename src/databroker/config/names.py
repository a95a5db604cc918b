"""Configurations by name: which there are, what each says, and how to make one."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .._util.printable import shown, type_name
from .._util.secrets import hide_passwords
from .._util.signals import suppressed
from .._util.suggestions import did_you_mean
from .._util.user_warnings import warn_user
from ..errors import ConfigurationFileNotFound, InvalidConfiguration, UnknownBrokerName
from . import catalogs
from .configuration import Configuration
from .forms import read_form, together
from .search import catalog_folders, config_folders, user_config_dir
from .source_map import Section, plain, read_bytes, read_yaml

_SUFFIXES = (".yml", ".yaml")
# Read by 1.x at import, to make a broker without being asked: not a name.
_HIDDEN = ("_legacy_config", "_test_legacy_config")


class _Entry(NamedTuple):
    """A name, and the file (and the source in it) that it stands for."""

    name: str
    file: Path
    is_source: bool = False

    def read(self) -> Section:
        section = _read(self.file)
        return section.section("sources").section(self.name) if self.is_source else section


def list_configs(paths: Iterable[str | os.PathLike[str]] | None = None) -> list[str]:
    """List the names that `Broker.named` takes.

    Parameters
    ----------
    paths
        Folders to look in, instead of the search path.

    Returns
    -------
    list of str
        Sorted. Empty on a machine where nobody has made a configuration yet: ``databroker demo``
        makes one.

    Warns
    -----
    UserWarning
        Several files have the same name; the first one found counts.

    Examples
    --------
    >>> list_configs(paths=[])
    []
    """
    return sorted(_first_of_each(_entries(paths)))


def lookup_config(name: str) -> dict[str, Any]:
    """Return what the file of a configuration says, as it stands there.

    Parameters
    ----------
    name
        The name of a configuration, with or without '.yml'.

    Raises
    ------
    ConfigurationFileNotFound
        There is none (it is a FileNotFoundError); the message lists where it looked.

    Examples
    --------
    >>> lookup_config("no-such-lab")
    Traceback (most recent call last):
    databroker.errors.ConfigurationFileNotFound: There is no configuration file for ...
    """
    if not isinstance(name, str):
        raise ConfigurationFileNotFound(_no_name(name))
    entry = _find(name)
    for suffix in _SUFFIXES:
        if entry is None and name.endswith(suffix):
            entry = _find(name.removesuffix(suffix))
    if entry is None:
        tried = [str(folder / f"{name.removesuffix('.yml')}.yml") for folder in config_folders()]
        raise ConfigurationFileNotFound(
            f"There is no configuration file for {name!r}. Tried: {', '.join(tried)}."
        )
    return dict(entry.read())


def describe_configs() -> dict[str, str | None]:
    """Return the description of each configuration, by its name; None where there is none.

    Warns
    -----
    UserWarning
        A file cannot be read: its name and line.

    Examples
    --------
    >>> isinstance(describe_configs(), dict)
    True
    """
    surveyed = survey_configs()
    for survey in surveyed.values():
        if survey.fault is not None and not survey.is_read:
            warn_user(survey.fault)
    return {name: survey.description for name, survey in surveyed.items()}


def files_of(name: str) -> list[Path]:
    """Return the files that have a configuration of this name: the first is the one that counts.

    Examples
    --------
    >>> files_of("no-such-lab")
    []
    """
    return [entry.file for entry in _entries(None) if entry.name == name]


def names_in(folder: Path, *, own: bool) -> list[str]:
    """Return what a folder offers: one of databroker's own, or one of catalogs only.

    Examples
    --------
    >>> names_in(Path("/no-such-folder"), own=True)
    []
    """
    return [entry.name for entry in _in_folder(folder, own=own)]


class Survey(NamedTuple):
    """What a configuration says of itself, why it cannot be used, and whether its file was read."""

    description: str | None
    fault: str | None
    is_read: bool


def survey_configs() -> dict[str, Survey]:
    """Look at each configuration, by its name, without opening what it describes."""
    return {name: _survey(entry) for name, entry in sorted(_first_of_each(_entries(None)).items())}


def _survey(entry: _Entry) -> Survey:
    description = None
    is_read = False
    try:
        section = entry.read()
        text = section.get("description")
        description, is_read = None if text is None else str(text), True
        read_form(section, entry.name, _load)
    except InvalidConfiguration as error:
        return Survey(description, hide_passwords(str(error)), is_read)
    return Survey(description, None, is_read)


def load(name: str) -> Configuration:
    """Read and check the configuration of this name."""
    return _load(name, ())


def load_together(
    names: Iterable[object], write_to: str | None, skip_unavailable: bool
) -> Configuration:
    """Read and check several configurations, and make one of them."""
    members: dict[str, Configuration] = {}
    for name in names:
        member = _load(name, ())
        assert member.name is not None
        members[member.name] = member
    return together(members, write_to, skip_unavailable)


def from_mapping(mapping: Mapping[str, Any], *, name: str | None = None) -> Configuration:
    """Make a configuration from a mapping, in any of the forms that a file may have.

    Relative paths are relative to the folder in which Python runs now.
    """
    return read_form(plain(mapping), name, _load)


def from_file(file: Path, name: str) -> Configuration:
    """Make a configuration from a file that is none of those with a name."""
    return read_form(_read(file), name, _load)


def _load(name: object, inside: tuple[str, ...]) -> Configuration:
    if not isinstance(name, str):
        raise UnknownBrokerName(_no_name(name))
    entry = _find(name)
    if entry is None:
        raise UnknownBrokerName(_unknown(name))
    return read_form(entry.read(), name, _load, inside)


def _no_name(name: object) -> str:
    return f"The name of a configuration is text, not {type_name(name)} {shown(name)}."


def _unknown(name: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = list_configs()
    exist = f"There are: {', '.join(known)}." if known else "There is none yet."
    looked = ", ".join(map(str, (*config_folders(), *catalog_folders())))
    return (
        f"There is no configuration {name!r}.{did_you_mean(name, known)} {exist} "
        f"Looked in: {looked}. "
        f"To make one, run 'databroker demo' (it makes 'example'), or "
        f"'databroker config make {name} ~/{name}.db', or write "
        f"{user_config_dir() / f'{name}.yml'} with two lines: "
        f"'driver: sqlite' and 'path: ~/{name}.db'."
    )


def _find(name: object) -> _Entry | None:
    return next((entry for entry in _entries(None) if entry.name == name), None)


def _entries(paths: Iterable[str | os.PathLike[str]] | None) -> Iterator[_Entry]:
    """Yield what each file offers, in order of precedence."""
    if paths is not None:
        for folder in paths:
            yield from _in_folder(Path(folder).expanduser(), own=True)
        return
    own = config_folders()
    for folder in own:
        yield from _in_folder(folder, own=True)
    for folder in catalog_folders():
        if folder not in own:
            yield from _in_folder(folder, own=False)


def _in_folder(folder: Path, *, own: bool) -> Iterator[_Entry]:
    files: list[Path] = []
    with suppressed(OSError):
        files = [file for file in folder.iterdir() if file.suffix in _SUFFIXES]
    # Of two files that differ in their suffix alone, '.yml' was always read.
    for file in sorted(files, key=lambda file: (file.stem, _SUFFIXES.index(file.suffix))):
        names = _sources(file)
        if names is not None:
            yield from (_Entry(name, file, is_source=True) for name in names)
        elif own and file.stem not in _HIDDEN:
            yield _Entry(file.stem, file)


def _sources(file: Path) -> list[str] | None:
    """Return the names of a catalog file's sources; None when it is no catalog."""
    with suppressed(OSError, InvalidConfiguration):  # told when it is opened by its name
        # Most files are no catalogs, and parsing takes a hundred times as long as this look.
        if b"sources" in read_bytes(file) and catalogs.is_catalog(section := _read(file)):
            return catalogs.offers(section)
    return None


def _read(file: Path) -> Section:
    values, lines = read_yaml(file)
    return plain(values, file, lines)


def _first_of_each(entries: Iterable[_Entry]) -> dict[str, _Entry]:
    by_name: dict[str, _Entry] = {}
    for entry in entries:
        first = by_name.setdefault(entry.name, entry)
        if first.file != entry.file:
            warn_user(
                f"Several files are called {entry.name!r}: {first.file} is used, "
                f"{entry.file} is not."
            )
    return by_name
