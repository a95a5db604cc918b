"""Files that moved: where they are now, and what to write into the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._util.printable import printable

_MOST = 10


@dataclass(repr=False)
class Relocation:
    """Where missing files are now: what `databroker.relocate` found.

    Printed, it says what to write into the configuration.

    Attributes
    ----------
    root_map
        The entries that make the files found, to be added to those that there are. One for
        the same folder takes the place of the old one.
    existing
        The root map before.
    found
        The new path of each file that is found with them, by the one where it was sought.
    missing
        The files that are still missing.
    ambiguous
        Files that could be in several places, with the places. None of these is guessed; but
        where an entry that other files speak for leads to one of them, it is found there.
    refused
        Missing files that are outside of `allowed_roots`, with the places.
    by_name
        The entries that only the names of files speak for, not the folders that they are in.
    config
        The name of the configuration, if it has one.
    applied
        Whether the entries are in force.
    """

    root_map: dict[str, str] = field(default_factory=dict)
    existing: Mapping[str, str] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    by_name: list[str] = field(default_factory=list)
    config: str | None = None
    applied: bool = False

    def __repr__(self) -> str:
        return printable("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        sought = len(self.found) + len(self.missing)
        if not sought:
            yield "No file is missing."
            return
        yield f"{len(self.found):,} of {sought:,} missing files found."
        if self.root_map:
            yield from self._what_to_do()
        for heading, lines in self._open_questions():
            if lines:
                yield from ("", heading, *_some(lines))

    def _open_questions(self) -> Iterator[tuple[str, list[str]]]:
        explained = {*self.ambiguous, *self.refused}
        yield "Not found:", [f"  {path}" for path in self.missing if path not in explained]
        several = {path: _several(path, places) for path, places in self.ambiguous.items()}
        yield (
            "Not clear which one it is. Look in fewer folders (search_in):",
            [text for path, text in several.items() if path not in self.found],
        )
        yield (
            "In several places, of which the entries above lead to one:",
            [text for path, text in several.items() if path in self.found],
        )
        yield (
            "Outside of the allowed_roots of the configuration:",
            [f"  {old} -> {new}" for old, new in self.refused.items()],
        )

    def _what_to_do(self) -> Iterator[str]:
        import yaml

        where = "the configuration" if self.config is None else f"the configuration {self.config}"
        others = [old for old in self.existing if old not in self.root_map]
        beside = ", beside the entries that are there" if others else ""
        options: Any = {"allow_unicode": True, "sort_keys": False, "width": 10**6}
        lines = yaml.safe_dump({"root_map": self.root_map}, **options).rstrip()
        yield from ("", f"For good, write into {where}{beside}:", "", lines, "")
        if self.applied:
            yield "For this session, it is in force already."
        else:
            yield from ("For this session:", "", f"db.reg.root_map.update({self.root_map!r})")
        for old in self.by_name:
            yield ""
            yield f"Only names speak for {old!r}: see whether these files are the right ones."


def _several(path: str, places: Sequence[str]) -> str:
    return "\n".join([f"  {path}", *_some([f"    {place}" for place in places])])


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"  ... and {len(lines) - _MOST:,} more"
