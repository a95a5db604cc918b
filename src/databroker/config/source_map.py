"""Where a configuration was written, so that a mistake can be pointed at."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .._util.printable import shown
from .._util.signals import from_signal
from .._util.suggestions import did_you_mean
from ..errors import DatabrokerError, InvalidConfiguration

__all__ = ["KeyPath", "SourceMap", "read_bytes", "read_yaml"]

KeyPath = tuple[str, ...]
"""The keys that lead to a value, from the outermost mapping inwards."""

_DEEPEST = 12
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Where the keys of a mapping were written: in which lines of which file.

    It has no file if it was made in Python; `inside` are the keys that lead to it in the file.

    Examples
    --------
    >>> where = SourceMap(Path("example.yml"), {("handlers",): 3, ("handlers", "NPY"): 4})
    >>> where.inner("handlers").describe("NPY"), where.describe("path")
    ('example.yml, line 4', 'example.yml')
    >>> SourceMap().describe("handlers")
    'The configuration'
    """

    file: Path | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    inside: KeyPath = ()

    @property
    def folder(self) -> Path:
        """What relative paths are relative to: the file's folder, else the working folder."""
        return self.file.parent if self.file else Path.cwd()

    def inner(self, *keys: str) -> SourceMap:
        """Return where a mapping inside this one was written."""
        return SourceMap(self.file, self.lines, (*self.inside, *keys))

    def moved(self, moves: Mapping[str, KeyPath]) -> SourceMap:
        """Return where a mapping made from this one was written.

        Of each of its keys, `moves` says which keys led to where it came from.
        """
        lines: dict[KeyPath, int] = {}
        for new, old in moves.items():
            origin = (*self.inside, *old)
            for path, line in self.lines.items():
                if path[: len(origin)] == origin:
                    lines[(new, *path[len(origin) :])] = line
        return SourceMap(self.file, lines)

    def describe(self, *keys: str) -> str:
        """Return where a key was written in words, as near as it is known."""
        if self.file is None:
            return "The configuration"
        path = (*self.inside, *keys)
        while path:
            if path in self.lines:
                return f"{self.file}, line {self.lines[path]}"
            path = path[:-1]
        return str(self.file)

    def error(self, message: str, *keys: str) -> InvalidConfiguration:
        """Return an error that begins with where a key was written."""
        return InvalidConfiguration(f"{self.describe(*keys)}: {message}")

    def check_keys(self, mapping: Mapping[str, Any], accepted: Iterable[str], of: str = "") -> None:
        """Refuse the first key that is not accepted, and name those that are."""
        known = list(accepted)
        for key in mapping:
            if key not in known:
                where = f" in {of}" if of else ""
                raise self.error(
                    f"there is no key {shown(key)}{where}.{did_you_mean(key, known)} "
                    f"Accepted keys: {', '.join(known)}.",
                    key,
                )

    def mapping(self, value: object, *keys: str) -> dict[str, Any]:
        """Return a value that must be a mapping; an empty one for None."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            what = f"{keys[-1]!r}" if keys else "it"
            raise self.error(f"{what} must be a mapping (lines of 'key: value').", *keys)
        return {str(key): item for key, item in value.items()}


def read_yaml(file: Path) -> tuple[Any, SourceMap]:
    """Read a YAML file, and note the line of each key."""
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
        return (None if node is None else loader.construct_document(node)), SourceMap(file, lines)
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
    """Return what is in a file; a pipe or a device, which might never end, is an OSError."""
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
