"""Where a configuration was written, so that a mistake can be pointed at."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from .._util.printable import shown
from .._util.signals import from_signal
from .._util.suggestions import did_you_mean
from ..errors import DatabrokerError, InvalidConfiguration

__all__ = ["KeyPath", "Place", "read_bytes", "read_yaml"]

KeyPath = tuple[str, ...]
"""The keys that lead to a value, from the outermost mapping inwards."""

_DEEPEST = 12
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """A mapping in a file, or one made in Python.

    Parameters
    ----------
    file
        The YAML file; None for a mapping made in Python.
    lines
        The line, counted from 1, of each key in the file.
    inside
        The keys under which the mapping stands in the file.

    Examples
    --------
    >>> place = Place(Path("example.yml"), {("handlers",): 3, ("handlers", "NPY"): 4})
    >>> place.inner("handlers").say("NPY")
    'example.yml, line 4'
    >>> Place().say("handlers")
    'The configuration'
    """

    file: Path | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    inside: KeyPath = ()

    @property
    def folder(self) -> Path:
        """What relative paths are relative to: the file's folder, else the working folder."""
        return self.file.parent if self.file else Path.cwd()

    def inner(self, *keys: str) -> Place:
        """Return the place of a mapping inside this one.

        Examples
        --------
        >>> Place().inner("handlers").inside
        ('handlers',)
        """
        return Place(self.file, self.lines, (*self.inside, *keys))

    def moved(self, moves: Mapping[str, KeyPath]) -> Place:
        """Return the place of a mapping made from this one, whose keys came from elsewhere in it.

        Parameters
        ----------
        moves
            For each key of the new mapping, the keys that lead to where it came from.

        Examples
        --------
        >>> place = Place(Path("old.yml"), {("args", "handler_registry"): 7})
        >>> place.moved({"handlers": ("args", "handler_registry")}).say("handlers")
        'old.yml, line 7'
        """
        lines: dict[KeyPath, int] = {}
        for new, old in moves.items():
            origin = (*self.inside, *old)
            for path, line in self.lines.items():
                if path[: len(origin)] == origin:
                    lines[(new, *path[len(origin) :])] = line
        return Place(self.file, lines)

    def say(self, *keys: str) -> str:
        """Return the place of a key as words, as near as it is known.

        Examples
        --------
        >>> place = Place(Path("lab.yml"), {("handlers",): 3})
        >>> place.say("handlers", "NPY"), place.say("path")
        ('lab.yml, line 3', 'lab.yml')
        """
        if self.file is None:
            return "The configuration"
        path = (*self.inside, *keys)
        while path:
            if path in self.lines:
                return f"{self.file}, line {self.lines[path]}"
            path = path[:-1]
        return str(self.file)

    def refuse(self, message: str, *keys: str) -> NoReturn:
        """Raise InvalidConfiguration that begins with the place of a key.

        Examples
        --------
        >>> Place(Path("lab.yml"), {("path",): 2}).refuse("there is no such folder.", "path")
        Traceback (most recent call last):
        databroker.errors.InvalidConfiguration: lab.yml, line 2: there is no such folder.
        """
        raise InvalidConfiguration(f"{self.say(*keys)}: {message}")

    def check_keys(self, mapping: Mapping[str, Any], accepted: Iterable[str], of: str = "") -> None:
        """Refuse the first key that is not accepted, and name those that are.

        Examples
        --------
        >>> Place().check_keys({"pth": "runs.db"}, ["driver", "path"])
        Traceback (most recent call last):
        databroker.errors.InvalidConfiguration: The configuration: there is no key 'pth'. ...
        """
        known = list(accepted)
        for key in mapping:
            if key not in known:
                where = f" in {of}" if of else ""
                self.refuse(
                    f"there is no key {shown(key)}{where}.{did_you_mean(key, known)} "
                    f"Accepted keys: {', '.join(known)}.",
                    key,
                )

    def mapping(self, value: object, *keys: str) -> dict[str, Any]:
        """Return a value that must be a mapping with text as keys.

        Examples
        --------
        >>> Place().mapping({"a": 1}, "handlers"), Place().mapping(None, "handlers")
        ({'a': 1}, {})
        """
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            what = f"{keys[-1]!r}" if keys else "it"
            self.refuse(f"{what} must be a mapping (lines of 'key: value').", *keys)
        return {str(key): item for key, item in value.items()}


def read_yaml(file: Path) -> tuple[Any, Place]:
    r"""Read a YAML file, and note the line of each key.

    Raises
    ------
    InvalidConfiguration
        It cannot be read, is not YAML, or says a key twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "lab.yml"
    ...     _ = file.write_text("driver: sqlite\npath: runs.db\n")
    ...     mapping, place = read_yaml(file)
    >>> mapping, place.lines["path",]
    ({'driver': 'sqlite', 'path': 'runs.db'}, 2)
    """
    try:
        # As bytes: YAML says itself in which encoding it is.
        loader = yaml.SafeLoader(read_bytes(file))
    except OSError as error:
        if from_signal(error):
            raise
        raise InvalidConfiguration(f"{file}: cannot be read ({error.strerror}).") from error
    except yaml.YAMLError as error:
        raise InvalidConfiguration(f"{file}: is not text ({error}).") from error
    try:
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        _note_lines(node, (), lines, file)
        return (None if node is None else loader.construct_document(node)), Place(file, lines)
    except yaml.YAMLError as error:
        # Built from its parts: the whole text of the error may quote the file,
        # and with it a password.
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unexpected characters"
        raise InvalidConfiguration(f"{file}{line}: this is not YAML ({problem}).") from None
    except RecursionError:
        raise InvalidConfiguration(f"{file}: it is nested too deep.") from None
    except Exception as error:  # of a date or number that is none
        if from_signal(error) or isinstance(error, DatabrokerError):
            raise
        raise InvalidConfiguration(
            f"{file}: this is not YAML (a value is not what it says)."
        ) from None
    finally:
        loader.dispose()


def read_bytes(file: Path) -> bytes:
    """Return what is in a file.

    Raises
    ------
    OSError
        It cannot be read, or it is a pipe or a device, which might never end.

    Examples
    --------
    >>> read_bytes(Path("/dev/null"))
    Traceback (most recent call last):
    OSError: [Errno 22] it is a folder, a pipe or a device: '/dev/null'
    """
    if not file.is_file():  # which is true of what links to one, too
        file.stat()
        raise OSError(errno.EINVAL, "it is a folder, a pipe or a device", str(file))
    return file.read_bytes()


def _note_lines(node: Any, path: KeyPath, lines: dict[KeyPath, int], file: Path) -> None:
    # An alias may point back to what contains it: nothing sensible is that deep.
    if not isinstance(node, yaml.MappingNode) or len(path) > _DEEPEST or len(lines) > _MOST:
        return
    for key, value in node.value:
        inner = (*path, str(key.value))
        line = key.start_mark.line + 1
        if inner in lines:
            raise InvalidConfiguration(
                f"{file}, line {line}: the key {key.value!r} stands here a second time "
                f"(first in line {lines[inner]})."
            )
        lines[inner] = line
        _note_lines(value, inner, lines, file)
