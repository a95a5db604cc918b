"""What is at a path or address, as a configuration: a database, a folder of runs, a server."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from .._util.secrets import hide_passwords
from .._util.signals import not_from_signal
from .._util.user_folders import absolute
from ..config import Configuration, from_file, from_mapping, load, together
from ..errors import InvalidConfiguration, StoreUnavailable
from .naming import driver_of_address, is_path
from .temporary import remove, remove_with

if TYPE_CHECKING:
    from .broker import Broker

B = TypeVar("B", bound="Broker")

Found = tuple[Configuration, str | None]
"""What is at a path, and the temporary folder into which it was unpacked, if it was."""

SQLITE = b"SQLite format 3\0"
"""How an SQLite file begins."""

CATALOGS = ("catalog.yml", "catalog.yaml")
"""The names of the file that makes a folder a pack."""

_YAML = (".yml", ".yaml")
_DOCUMENTS = "documents"
_OF_MACS = (".", "__MACOSX")
"""So begins what is in a zip beside what was packed, where a Mac made it."""

_FORMATS: Mapping[str, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".jsonl.gz"),
    "msgpack": (".msgpack", ".msgpack.gz"),
}
_UNDERSTOOD = (
    "Understood are an SQLite file of databroker, a folder of .jsonl or .msgpack files or one of "
    "these files, a packed catalog (a folder with a catalog.yml, or a zip of one), and a "
    "configuration file."
)


def open_at(path: str | os.PathLike[str], make: Callable[[Configuration], B]) -> B:
    """Return the broker that is made of what is at a path; what is unpacked goes with its store.

    Raises
    ------
    StoreUnavailable, InvalidConfiguration
        As `recognised` says.
    """
    return _opened([(os.fspath(path), recognised(path))], make)


def open_together(names: Iterable[str], make: Callable[[Configuration], B]) -> B:
    """Return the broker of several sources as one: what is at paths, and configurations by name.

    Raises
    ------
    StoreUnavailable, InvalidConfiguration
        As `recognised` says.
    UnknownBrokerName
        No configuration has this name.
    """
    found = ((name, recognised(name) if is_path(name) else (load(name), None)) for name in names)
    return _opened(found, make)


def _opened(found: Iterable[tuple[str, Found]], make: Callable[[Configuration], B]) -> B:
    """Open what was found under some names: one, or all of them together."""
    members: dict[str, Configuration] = {}
    folders: list[str] = []
    with ExitStack() as unmade:
        for name, (configuration, folder) in found:
            members[hide_passwords(name)] = configuration
            if folder is not None:
                folders.append(folder)
                unmade.callback(remove, folder)
        one_or_all = together(members, None, False) if len(members) > 1 else configuration
        broker = make(one_or_all)
        unmade.pop_all()
    for folder in folders:
        remove_with(broker.store, folder)
    return broker


def recognised(path: str | os.PathLike[str]) -> Found:
    """Return what is at a path, and a temporary folder into which it was unpacked, if it was.

    The address of a database or server is one of its own.

    Raises
    ------
    StoreUnavailable
        There is nothing at this path, or it may not be read.
    InvalidConfiguration
        What is there cannot be opened; it says what can.
    """
    driver = driver_of_address(os.fspath(path))
    if driver is not None:
        return _at_address(driver, os.fspath(path)), None
    place = absolute(Path(os.fspath(path)))
    try:
        return _recognised(place)
    except not_from_signal(PermissionError) as error:
        raise StoreUnavailable(
            f"{place} cannot be opened: {error}. Who may read it is set by its permissions, and by "
            "those of the folders that it is in."
        ) from error


def _recognised(place: Path) -> Found:
    if place.is_dir():
        return _folder(place, {}), None
    if not place.exists():
        raise StoreUnavailable(f"There is nothing at {place}. {_UNDERSTOOD}")
    if zipfile.is_zipfile(place):
        return _zip(place)
    return _file(place), None


def _file(path: Path) -> Configuration:
    with path.open("rb") as file:
        begin = file.read(len(SQLITE))
    if begin == SQLITE:
        return _configuration(path, {"driver": "sqlite", "path": str(path)})
    if path.suffix in _YAML:
        return from_file(path, path.stem)
    driver = _driver(path.name)
    if driver is None:
        raise InvalidConfiguration(f"{path} is nothing that databroker can open. {_UNDERSTOOD}")
    return _configuration(path, {"driver": driver, "paths": [str(path)]})


def _driver(name: str) -> str | None:
    return next((driver for driver, ends in _FORMATS.items() if name.endswith(ends)), None)


def _folder(folder: Path, options: Mapping[str, Any]) -> Configuration:
    catalog = next((folder / name for name in CATALOGS if (folder / name).is_file()), None)
    if catalog is not None:
        packed = from_file(catalog, folder.name)
        more = {"read_only": True, **options} if packed.driver in _FORMATS else {}
        return packed._replace(options={**packed.options, **more})
    found = {driver for path in folder.iterdir() if (driver := _driver(path.name)) is not None}
    if len(found) == 1:
        (driver,) = found
        mapping = {"driver": driver, "paths": [str(folder)], **options}
        return _configuration(folder, mapping)
    if found:
        raise InvalidConfiguration(
            f"{folder} has files of both .jsonl and .msgpack. Make a configuration of one of them, "
            f"with 'driver: jsonl' and 'paths: {folder}'; or in Python, "
            f"Broker.from_config({{'driver': 'jsonl', 'paths': {str(folder)!r}}})"
        )
    if (folder / _DOCUMENTS).is_dir():
        return _folder(folder / _DOCUMENTS, options)._replace(name=folder.name)
    raise InvalidConfiguration(f"No runs are in the folder {folder}. {_UNDERSTOOD}")


def _at_address(driver: str, address: str) -> Configuration:
    name = unquote(urlsplit(address).path.strip("/").rpartition("/")[2])
    return from_mapping({"driver": driver, "uri": address}, name=name or None)


def _configuration(path: Path, mapping: Mapping[str, Any]) -> Configuration:
    return from_mapping(mapping, name=path.name.partition(".")[0])


def _zip(path: Path) -> Found:
    """Unpack a zip into a temporary folder, which is whoever's to remove that opens it."""
    folder = tempfile.mkdtemp(prefix="databroker-zip-")
    try:
        with zipfile.ZipFile(path) as packed:
            packed.extractall(folder)
        found = _folder(_innermost(Path(folder)), {"index": False, "read_only": True})
    except BaseException as error:
        remove(folder)
        if isinstance(error, zipfile.BadZipFile | NotImplementedError):
            raise InvalidConfiguration(f"{path} cannot be unpacked: {error}") from error
        if isinstance(error, InvalidConfiguration):  # people know the zip, and not that folder
            raise InvalidConfiguration(str(error).replace(folder, str(path))) from error
        raise
    return found._replace(name=path.stem), folder


def _innermost(folder: Path) -> Path:
    """Return the first folder that has more than another folder in it."""
    seen = [one for one in folder.iterdir() if not one.name.startswith(_OF_MACS)]
    alone = len(seen) == 1 and seen[0].is_dir() and not _driver(seen[0].name)
    return _innermost(seen[0]) if alone else folder
