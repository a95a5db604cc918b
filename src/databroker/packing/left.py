"""The external files that stay in a pack when its runs are copied without them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .._util.printable import printable
from ..display.counting import counted
from ..external.locate import place_of
from .pack import CATALOG
from .verify import is_pack, reading


@dataclass(frozen=True)
class LeftFiles:
    """External files of a pack that were not copied out of it.

    Attributes
    ----------
    pack
        The folder or zip.
    files
        How many there are.
    missing
        How many of them are not where the runs look for them either.
    root_map
        What makes the runs look for them in the pack; in the folder that it becomes, of a zip.

    Examples
    --------
    >>> print(LeftFiles(Path("july.zip"), 2, 1, {"/data": "/home/ann/july/external_files/data"}))
    Not copied out of july.zip: 2 external files, as no folder for them was named (--files FOLDER).
    Not where they were recorded: 1 of them. Unpack july.zip, and say in the configuration where
    they are: root_map: {/data: /home/ann/july/external_files/data}
    """

    pack: Path
    files: int
    missing: int
    root_map: Mapping[str, str]

    def __str__(self) -> str:
        text = (
            f"Not copied out of {self.pack}: {counted(self.files, 'external file')}, as no folder "
            "for them was named (--files FOLDER)."
        )
        if not self.missing:
            return printable(f"{text} The runs find them where they were recorded.")
        begin = "Say" if self.pack.is_dir() else f"Unpack {self.pack}, and say"
        options: Any = {"default_flow_style": True, "width": 10**6, "sort_keys": False}
        entries = yaml.safe_dump(dict(self.root_map), **options).strip()
        return printable(
            f"{text} Not where they were recorded: {self.missing:,} of them. {begin} in the "
            f"configuration where they are: root_map: {entries}"
        )


def files_left(
    path: str | os.PathLike[str], root_map: Mapping[str, str] | None = None
) -> LeftFiles | None:
    """Return what a pack has of external files; None if it has none, or is no pack.

    Parameters
    ----------
    path
        What may be a pack.
    root_map
        That of the broker that its runs are copied to.

    Examples
    --------
    >>> files_left("nothing.zip")
    """
    pack = Path(path).expanduser()
    if not is_pack(pack):
        return None
    with reading(pack) as reader:
        names = list(reader.names())
        if CATALOG not in names:
            return None
        with reader.opened(CATALOG) as file:
            inside = _root_map_of(yaml.safe_load(file))
    recorded = list(_recorded(names, inside))
    if not recorded:
        return None
    places = [
        place_of({"root": old, "resource_path": rest}, root_map).path for old, rest in recorded
    ]
    folder = (pack if pack.is_dir() else pack.with_suffix("")).absolute()
    return LeftFiles(
        pack,
        len(recorded),
        sum(not os.path.exists(place) for place in places),
        {old: str(folder / new) for old, new in inside.items()},
    )


def _root_map_of(catalog: Any) -> dict[str, str]:
    (source,) = catalog["sources"].values()
    return dict(source["args"].get("root_map") or {})


def _recorded(names: list[str], root_map: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the root and the rest of the path of each file in a pack that was recorded so."""
    for name in names:
        old = next((old for old, new in root_map.items() if name.startswith(f"{new}/")), None)
        if old is not None:
            yield old, name.removeprefix(f"{root_map[old]}/")
