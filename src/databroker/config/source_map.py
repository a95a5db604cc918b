"""Configurations as a file could say them, and where it said what: a mistake can be pointed at."""

from __future__ import annotations

import datetime
import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from .._util.printable import shown, text_of, type_name
from .._util.signals import from_signal, not_from_signal
from .._util.suggestions import did_you_mean
from ..errors import DatabrokerError, InvalidConfiguration

KeyPath = tuple[str, ...]
"""The keys that lead to a value, from the outermost mapping inwards."""

Lines = Mapping[KeyPath, int]
"""The line, counted from 1, of each key in a file."""

_DEEPEST = 12
_MOST = 100_000
_LARGEST = 2**63
_LEAVES = (str, float, bool, type(None), os.PathLike, datetime.date, datetime.tzinfo)


class Section(Mapping[str, Any]):
    """A mapping in a configuration, which can say where each of its keys was written.

    It has no file if it was made in Python. `inside` are the keys that lead to it in the file.

    Examples
    --------
    >>> lines = {("handlers",): 3, ("handlers", "NPY"): 4}
    >>> section = Section({"handlers": {"NPY": "lab:Reader"}}, Path("lab.yml"), lines)
    >>> section.section("handlers").describe("NPY"), section.describe("path")
    ('lab.yml, line 4', 'lab.yml')
    >>> Section({}).describe("handlers")
    'The configuration'
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        file: Path | None = None,
        lines: Lines | None = None,
        inside: KeyPath = (),
    ) -> None:
        self._values = values
        self.file = file
        self._lines = lines or {}
        self._inside = inside

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def folder(self) -> Path:
        """What relative paths are relative to: the file's folder, else the working folder."""
        return self.file.parent if self.file else Path.cwd()

    def section(self, key: str) -> Section:
        """Return a mapping in this one; an empty one if there is none."""
        value = self.get(key)
        if not isinstance(value, Mapping | None):
            raise self.error(f"{key!r} must be a mapping (lines of 'key: value').", key)
        return Section(value or {}, self.file, self._lines, (*self._inside, key))

    def entry(self, key: str, number: int) -> Section:
        """Return a mapping in a list in this one."""
        return Section(self[key][number], self.file, self._lines, (*self._inside, key, str(number)))

    def holding(self, values: Mapping[str, Any]) -> Section:
        """Return other values for the same keys."""
        return Section(values, self.file, self._lines, self._inside)

    def moved(self, values: Mapping[str, Any], origins: Mapping[str, KeyPath]) -> Section:
        """Return a mapping made from this one: which keys of it led to where each came from."""
        lines: dict[KeyPath, int] = {}
        for new, old in origins.items():
            origin = (*self._inside, *old)
            for path, line in self._lines.items():
                if path[: len(origin)] == origin:
                    lines[(new, *path[len(origin) :])] = line
        return Section(values, self.file, lines)

    def describe(self, *keys: str) -> str:
        """Return where a key was written in words, as near as it is known."""
        if self.file is None:
            return "The configuration"
        path = (*self._inside, *keys)
        while path:
            if path in self._lines:
                return f"{self.file}, line {self._lines[path]}"
            path = path[:-1]
        return str(self.file)

    def error(self, message: str, *keys: str) -> InvalidConfiguration:
        """Return an error that begins with where a key was written."""
        return InvalidConfiguration(f"{self.describe(*keys)}: {message}")

    def check_keys(self, accepted: Iterable[str], of: str = "") -> None:
        """Refuse the first key that is not accepted, and name those that are."""
        known = list(accepted)
        for key in self:
            if key not in known:
                where = f" in {of}" if of else ""
                raise self.error(
                    f"there is no key {shown(key)}{where}.{did_you_mean(key, known)} "
                    f"Accepted keys: {', '.join(known)}.",
                    key,
                )


def read_yaml(file: Path) -> tuple[Any, Lines]:
    """Return what a YAML file says, and the line of each key."""
    try:
        # As bytes: YAML says itself in which encoding it is.
        written = read_bytes(file)
        loader = yaml.SafeLoader(written)
    except not_from_signal(OSError) as error:
        raise InvalidConfiguration(f"{file}: cannot be read ({error.strerror}).") from error
    except yaml.YAMLError as error:
        raise InvalidConfiguration(f"{file}: is not text ({error}).") from error
    try:
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        _note_lines(node, (), lines, file)
        return (None if node is None else loader.construct_document(node)), lines
    except yaml.YAMLError as error:
        # Built from its parts: the whole text of the error may quote the file,
        # and with it a password.
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unexpected characters"
        hint = " A value with braces is written in quotes." if b"{{" in written else ""
        raise InvalidConfiguration(f"{file}{line}: this is not YAML ({problem}).{hint}") from None
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


def plain(value: Any, file: Path | None = None, lines: Lines | None = None) -> Section:
    """Return a copy of what a configuration says, made of dictionaries with text as keys and lists.

    Examples
    --------
    >>> dict(plain({"handlers": {1: ("a", "b")}}))
    {'handlers': {'1': ['a', 'b']}}
    """
    unread = Section({}, file, lines)
    values = _plain(value, unread, (), count())
    if not isinstance(values, dict | None):
        raise unread.error("it must be a mapping (lines of 'key: value').")
    return Section(values or {}, file, lines)


def _plain(value: Any, section: Section, keys: tuple[str, ...], seen: Iterator[int]) -> Any:
    # A few lines of aliases may stand for more than any machine can hold.
    if next(seen) > _MOST or len(keys) > _DEEPEST:
        raise section.error("it is nested too deep, or contains itself.", *keys[:2])
    if isinstance(value, Mapping):
        inner = {text_of(key): item for key, item in _items(value, section, keys)}
        return {key: _plain(item, section, (*keys, key), seen) for key, item in inner.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, section, (*keys, str(n)), seen) for n, item in enumerate(value)]
    whole = isinstance(value, int) and abs(value) < _LARGEST
    if whole or isinstance(value, _LEAVES) or callable(value):
        return value
    what = f"the value of {shown(keys[-1])}" if keys else "it"
    raise section.error(f"{what} can be no {type_name(value)} such as {shown(value)}.", *keys)


def _items(
    value: Mapping[Any, Any], section: Section, keys: tuple[str, ...]
) -> list[tuple[Any, Any]]:
    try:
        return list(value.items())
    except not_from_signal(Exception) as error:  # of somebody else's class
        raise section.error(f"it cannot be read: {type_name(error)}.", *keys) from error
