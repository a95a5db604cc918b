"""Files that are there only when they are whole."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from .signals import not_from_signal, suppressed

_ATTEMPTS = 5
_NO_FOLDER = "there is no folder to make it in"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_PAUSE = 0.05  # seconds, in which threads that still write into a folder may come to their end


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Have a path for a file or a folder that gets its name once it is whole, and on the disk.

    Parameters
    ----------
    path
        The name that it gets.
    overwrite
        Whether it takes the place of what has that name.

    Raises
    ------
    FileExistsError
        Something has that name, now or when it is whole; that is left as it was.
    FileNotFoundError
        There is no folder to make it in.
    OSError
        It cannot be written; `filename` is the name that it would have got.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(f"{folder}/a.txt") as part:
    ...         _ = part.write_text("all of it")
    ...     os.listdir(folder)
    ['a.txt']
    """
    target = Path(path)
    if not overwrite and os.path.lexists(target):
        raise FileExistsError(f"{target} is there already.")
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, _NO_FOLDER, str(target))
    part = target.with_name(f".{target.name[:200]}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        _sync(part)
        _publish(part, target, overwrite)
    except not_from_signal(OSError) as error:
        _rename_in(error, part, target)
        raise
    finally:
        if os.path.lexists(part):  # else a disk that nothing may write on fails once more
            remove(part)


def _rename_in(error: OSError, part: Path, target: Path) -> None:
    """Have an error speak of the name that is known outside of here."""
    if isinstance(error.filename, str) and error.filename.startswith(str(part)):
        error.filename = f"{target}{error.filename.removeprefix(str(part))}"
    elif error.errno in _FULL or str(part) in str(error):
        error.filename = str(target)
        if error.errno:  # libraries say more than anybody wants to know
            error.strerror = os.strerror(error.errno)


def _publish(part: Path, target: Path, overwrite: bool) -> None:
    if part.is_dir():
        if overwrite:
            remove(target)
        part.rename(target)  # fails if there is a folder that has anything in it
    elif overwrite:
        part.replace(target)
    else:
        try:
            os.link(part, target)
        except FileExistsError:
            raise FileExistsError(f"{target} has appeared meanwhile.") from None
        except not_from_signal(OSError):  # this disk knows no links
            if os.path.lexists(target):
                raise FileExistsError(f"{target} has appeared meanwhile.") from None
            part.rename(target)


def _sync(part: Path) -> None:
    """Have the bytes of a file on the disk before it gets its name."""
    if part.is_file():
        file = os.open(part, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def remove(path: Path) -> None:
    """Have no file and no folder at a path."""
    if path.is_dir() and not path.is_symlink():
        _remove_folder(path)
    else:
        with suppressed(FileNotFoundError):
            path.unlink()


def _remove_folder(path: Path) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            shutil.rmtree(path)
        except not_from_signal(OSError):
            if attempt + 1 == _ATTEMPTS:
                raise
            time.sleep(_PAUSE)
        else:
            return
