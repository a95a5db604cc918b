"""Whether a pack is as it was packed, by its checksums."""

from __future__ import annotations

import hashlib
import os
import posixpath
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .._util.printable import printable
from .._util.signals import not_from_signal
from ..display.counting import counted
from ..display.listing import listing
from ..errors import NotSupported, StoreDamaged, StoreUnavailable
from ..external.files.listing import files_below
from .sums import SUMS, parse_sum_line

_BLOCK = 2**20

Progress = Callable[[int, int], Any]
"""Is called after each file with how many are done, and how many there are."""


@dataclass(repr=False)
class PackCheck:
    """Which files of a pack are as they were packed; true if all are.

    Attributes
    ----------
    path
        The pack.
    checked
        How many files are as they were.
    differing
        The names of files that have another checksum, or cannot be read.
    lacking
        Those of files that are not there.
    added
        Those of files that came later, which are no harm by themselves.

    Examples
    --------
    >>> PackCheck(Path("july"), 2, lacking=["documents/a.msgpack"])
    2 files are as packed.
    1 file is not there:
    - documents/a.msgpack
    """

    path: Path
    checked: int = 0
    differing: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not (self.differing or self.lacking)

    def __repr__(self) -> str:
        lines = [f"{_files(self.checked)} as packed."]
        for attribute, what in (
            ("differing", "not as packed"),
            ("lacking", "not there"),
            ("added", "no part of the pack"),
        ):
            if names := getattr(self, attribute):
                lines += [f"{_files(len(names))} {what}:", *listing(names, attribute)]
        return printable("\n".join(lines))


def verify_pack(path: str | os.PathLike[str], progress: Progress | None = None) -> PackCheck:
    """Compare the checksums of all files of a pack.

    Parameters
    ----------
    path
        The folder or zip that `databroker.pack` made.
    progress
        Is called after each file with how many are done, and how many there are.

    Returns
    -------
    PackCheck
        True if all is as it was packed; it names what is not.

    Raises
    ------
    StoreUnavailable
        There is nothing at this path.
    StoreDamaged
        The zip cannot be read, or the list of checksums in it.
    NotSupported
        It has no checksums, as what others packed.

    Examples
    --------
    >>> import databroker, tempfile
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "a", "time": 1.0})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = databroker.pack(db(), f"{folder}/july")
    ...     _ = Path(f"{folder}/july/documents/a.msgpack").write_bytes(b"?")
    ...     verify_pack(f"{folder}/july").differing
    ['documents/a.msgpack']
    """
    place = Path(path).expanduser().absolute()
    with reading(place) as reader:
        names = dict.fromkeys(reader.names())
        expected = _expected(reader, place)
        check = PackCheck(place)
        for number, (name, digest) in enumerate(expected.items(), 1):
            if name not in names:
                check.lacking.append(name)
            elif _digest(reader, name) != digest:
                check.differing.append(name)
            else:
                check.checked += 1
            if progress is not None:
                progress(number, len(expected))
    check.added = [name for name in names if name not in expected and name != SUMS]
    return check


def is_pack(path: str | os.PathLike[str]) -> bool:
    """Tell whether a folder or a zip has a list of checksums.

    Examples
    --------
    >>> is_pack("nothing.zip")
    False
    """
    place = Path(path).expanduser()
    if place.is_dir():
        return (place / SUMS).is_file()
    if not zipfile.is_zipfile(place):
        return False
    with reading(place) as reader:
        return SUMS in reader.names()


class Reader(ABC):
    """The files of a pack."""

    @abstractmethod
    def names(self) -> Iterator[str]:
        """Yield their names."""

    @abstractmethod
    def opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open one of them."""


class _Folder(Reader):
    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def names(self) -> Iterator[str]:
        for path in files_below(self._folder):
            yield os.path.relpath(path, self._folder).replace(os.sep, "/")

    def opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return open(os.path.join(self._folder, name), "rb")


class _Zip(Reader):
    """A zip of a pack, or of the folder that a pack is."""

    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._zip = packed
        lists = [name for name in packed.namelist() if posixpath.basename(name) == SUMS]
        self._top = min(lists, key=len, default=SUMS).removesuffix(SUMS)

    def names(self) -> Iterator[str]:
        for name in self._zip.namelist():
            if name.startswith(self._top) and not name.endswith("/"):
                yield name.removeprefix(self._top)

    def opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return self._zip.open(self._top + name)


@contextmanager
def reading(place: Path) -> Iterator[Reader]:
    """Have what reads the files of a pack, by their names."""
    if place.is_dir():
        yield _Folder(place)
        return
    if not place.exists():
        raise StoreUnavailable(f"There is nothing at {place}.")
    try:
        packed = zipfile.ZipFile(place)
    except zipfile.BadZipFile as error:
        raise StoreDamaged(f"{place} is no zip, or is cut short: {error}") from error
    with packed:
        yield _Zip(packed)


def _expected(reader: Reader, place: Path) -> dict[str, str]:
    """Return the checksums that files had, by their names."""
    if SUMS not in reader.names():
        raise NotSupported(f"{place} has no list of checksums ({SUMS}): databroker.pack makes one.")
    try:
        with reader.opened(SUMS) as file:
            return dict(map(parse_sum_line, file))
    except (ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise StoreDamaged(f"The list of checksums in {place} is damaged: {error}") from error


def _digest(reader: Reader, name: str) -> str | None:
    """Return the checksum of a file; None if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with reader.opened(name) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except not_from_signal(OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return digest.hexdigest()


def _files(number: int) -> str:
    return f"{counted(number, 'file')} {'is' if number == 1 else 'are'}"
