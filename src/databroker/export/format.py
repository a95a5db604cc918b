"""What a file format is to an export: the parts of a run that are files of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from ..runs.stream.fields import mapping

if TYPE_CHECKING:
    from ..runs.run import Run
    from ..runs.stream.stream import Stream

OnMissing = Literal["raise", "mask"]
Losses = Iterable[str]
"""What a file could not hold, each a phrase for people: "the times of each field"."""


@dataclass(frozen=True)
class Choice:
    """What of each run is exported.

    Attributes
    ----------
    streams
        The names of streams, or None for all.
    fields
        The names, or patterns, of fields, as `Run.table` takes them; None for all.
    """

    streams: Collection[str] | None = None
    fields: Collection[str] | None = None

    def streams_of(self, run: Run) -> Iterator[Stream]:
        """Yield the streams of a run that are chosen; what it does not have is passed over."""
        for name, stream in run.streams.items():
            if self.streams is None or name in self.streams:
                yield stream


@dataclass(frozen=True)
class Part:
    """What becomes one file.

    Attributes
    ----------
    write
        Writes it into a file (or a folder) of this path, and returns what that cannot hold.
    names
        What tells the parts of a run apart: 'stream', 'field'. The name of the file has them.
    """

    write: Callable[[Path], Losses]
    names: Mapping[str, str] = field(default_factory=dict)


class Format(ABC):
    """A file format that runs are exported to.

    One of another package is an entry point of the group ``databroker.export``, of the name by
    which it is asked for.

    Parameters
    ----------
    **options
        What is special to a format, by the names of its constructor.

    Attributes
    ----------
    suffix
        How the names of its files end.
    about
        What it is, and what it is for, in a line.

    Examples
    --------
    >>> class Uids(Format):
    ...     suffix, about = ".txt", "the uid of the run"
    ...     def parts(self, run, choice):
    ...         yield Part(lambda path: [path.write_text(run.uid), "all but the uid"][1:])
    """

    suffix: ClassVar[str]
    about: ClassVar[str]

    @abstractmethod
    def parts(self, run: Run, choice: Choice) -> Iterable[Part]:
        """Return what is written of a run, a file each."""


def check_on_missing(on_missing: str) -> None:
    """Raise ValueError for what no file does where external data cannot be had."""
    if on_missing not in ("raise", "mask"):
        raise ValueError(f"on_missing is 'raise' or 'mask', not {on_missing!r}.")


def units_of(stream: Stream) -> dict[str, str]:
    """Return the units of each field that has them."""
    found: dict[str, str] = {}
    for descriptor in stream.descriptors:
        for name, key in descriptor["data_keys"].items():
            units = mapping(key).get("units")
            if isinstance(units, str) and units:
                found.setdefault(name, units)
    return found
