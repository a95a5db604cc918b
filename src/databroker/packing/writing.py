"""A pack while it is filled: a folder or a zip, which gets a checksum of each of its files."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from .._util.whole_files import whole_file
from .sums import SUMS, sum_line

_SAMPLE = 2**16  # bytes by which one sees whether it is worth while to compress a file
_WORTH = 0.9
_LEVEL = 1  # of compression: a higher one takes ten times as long, and gains a tenth


class Writer(ABC):
    """Puts files into a pack, one after the other, as their bytes come.

    `files` and `bytes` say how many there are by now.
    """

    def __init__(self, sums: IO[bytes]) -> None:
        self.files = self.bytes = 0
        self._sums = sums

    def add(self, name: str, blocks: Iterable[bytes]) -> Iterator[int]:
        """Put a file into the pack; yield, while that goes on, how many bytes were written."""
        digest, coming = hashlib.sha256(), iter(blocks)
        first = next(coming, b"")
        with self._opened(name, first) as file:
            for block in chain([first], coming):
                file.write(block)
                digest.update(block)
                self.bytes += len(block)
                yield len(block)
        self._sums.write(sum_line(name, digest.hexdigest()))
        self.files += 1

    def put(self, name: str, data: bytes) -> None:
        """Put a small file into the pack."""
        for _ in self.add(name, [data]):
            pass

    def end(self) -> None:
        """Put the list of checksums into the pack."""
        self._sums.seek(0)
        with self._opened(SUMS, b"") as file:
            file.writelines(self._sums)

    @abstractmethod
    def _opened(self, name: str, sample: bytes) -> AbstractContextManager[IO[bytes]]:
        """Begin a file, of which there is a sample."""


class _Folder(Writer):
    def __init__(self, sums: IO[bytes], folder: Path) -> None:
        super().__init__(sums)
        self._folder = folder

    @contextmanager
    def _opened(self, name: str, sample: bytes) -> Iterator[IO[bytes]]:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


class _Zip(Writer):
    def __init__(self, sums: IO[bytes], packed: zipfile.ZipFile) -> None:
        super().__init__(sums)
        self._zip = packed

    def _opened(self, name: str, sample: bytes) -> AbstractContextManager[IO[bytes]]:
        # Images are often compressed already: to do it once more takes long, and gains nothing.
        sample = sample[:_SAMPLE]
        worth = len(zlib.compress(sample, 1)) < _WORTH * len(sample)
        self._zip.compression = zipfile.ZIP_DEFLATED if worth else zipfile.ZIP_STORED
        return self._zip.open(name, "w", force_zip64=True)


@contextmanager
def writing(path: Path, *, overwrite: bool) -> Iterator[Writer]:
    """Have a pack that gets its name once it is whole: a zip if the name ends so, else a folder.

    Raises
    ------
    FileExistsError
        Something has that name, and is not to be overwritten.
    """
    with whole_file(path, overwrite=overwrite) as part, tempfile.TemporaryFile() as sums:
        if is_zip(path):
            with zipfile.ZipFile(part, "x", compresslevel=_LEVEL) as packed:
                yield from _whole(_Zip(sums, packed))
        else:
            part.mkdir()
            yield from _whole(_Folder(sums, part))


def is_zip(path: Path) -> bool:
    """Tell whether a pack of this name is a zip."""
    return path.suffix.lower() == ".zip"


def _whole(writer: Writer) -> Iterator[Writer]:
    yield writer
    writer.end()
