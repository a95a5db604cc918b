"""Which fields are filled, and what happens where their data cannot be had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ...errors import ExternalDataMissing, NoHandler

Doc = Mapping[str, Any]
OnMissing = Literal["raise", "mask", "skip"]
Fill: TypeAlias = "bool | str | Iterable[str] | Filling"

UNREADABLE = (ExternalDataMissing, NoHandler)
"""What is raised where external data cannot be had, whatever else is well."""


def external_fields(descriptors: Iterable[Doc]) -> dict[str, str]:
    """Return the external fields of a stream, and of each whether it is a 'datum' or a 'stream'.

    Examples
    --------
    >>> external_fields([{"data_keys": {"img": {"external": "FILESTORE:"}, "det": {},
    ...                                 "cam": {"external": "STREAM:"}}}])
    {'img': 'datum', 'cam': 'stream'}
    """
    return {
        name: "stream" if is_streamed(key) else "datum"
        for descriptor in descriptors
        for name, key in descriptor["data_keys"].items()
        if isinstance(key, Mapping) and key.get("external")
    }


def is_streamed(data_key: Doc) -> bool:
    """Tell whether stream resources, rather than datum documents, hold a field's data."""
    return str(data_key.get("external") or "").startswith("STREAM")


def flag(event: dict[str, Any], external: Iterable[str]) -> None:
    """Say which of some fields hold their data in an event, where that has no word for each.

    Examples
    --------
    >>> event = {"data": {"img": "r/0", "det": 1.0}}
    >>> flag(event, ["img", "cam"])
    >>> event["filled"]
    {'img': False}
    """
    said = event.get("filled")
    if isinstance(said, dict):
        return
    held = {name: event["data"][name] for name in external if name in event["data"]}
    event["filled"] = {
        name: said if isinstance(said, bool) else not isinstance(value, str)
        for name, value in held.items()
    }


@dataclass(frozen=True)
class Filling:
    """What ``fill=...`` asks for.

    Examples
    --------
    >>> Filling.of("yes") == Filling.of(True), Filling.of("no") == Filling.of(False)
    (True, True)
    >>> Filling.of("img"), Filling.of(["yes"])
    (Filling(names=('img',), delayed=False), Filling(names=('yes',), delayed=False))
    """

    # The fields whose data are wanted; None for all that are external.
    names: tuple[str, ...] | None
    # Whether each value is a dask array, which reads its file when it is computed.
    delayed: bool = False

    @classmethod
    def of(cls, fill: Fill) -> Filling:
        """Read what was given: a boolean, one of `WORDS`, or the names of fields."""
        if isinstance(fill, Filling):
            return fill
        if isinstance(fill, str):
            return WORDS.get(fill, cls((fill,)))
        if isinstance(fill, Iterable):
            return cls(tuple(fill))
        return cls(None if fill else ())

    def fields(self, external: Iterable[str]) -> list[str]:
        """Return those of some external fields that are to be filled, in their order."""
        return [name for name in external if self.names is None or name in self.names]


WORDS: Mapping[str, Filling] = {
    "yes": Filling(None),
    "no": Filling(()),
    "delayed": Filling(None, delayed=True),
}
"""What `fill` may be beside a boolean and names; a field of such a name is given in a list."""


def check_on_missing(on_missing: str) -> None:
    """Raise ValueError for what is none of the ways to deal with data that cannot be had."""
    if on_missing not in ("raise", "mask", "skip"):
        raise ValueError(f"on_missing is 'raise', 'mask' or 'skip', not {on_missing!r}.")
