"""The external files of runs in a pack: each below one folder, by its whole path.

Documents stay as they are. A root map says that what they call ``/data/2024`` is
``external_files/data/2024`` of the pack. As folders keep their order in it, all entries of the
root map agree, however one root is inside of another.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...errors import CopyRefused
from ..locate import path_parts
from ..references import Place
from .copying import destination, existing_files, whole_path

if TYPE_CHECKING:
    from ..registry import Registry
    from .listing import ResourceFiles

FOLDER = "external_files"
"""Where they are in a pack."""

_TEMPLATES = ("{{", "{%", "{#")


class PackedFiles:
    """Where the files of runs are in a pack.

    `root_map` is that of the pack, and `missing` has the run and the path of each file that is
    not there.

    Parameters
    ----------
    pack
        The path of the pack.
    skips
        Whether files that are not there are left out; else they are an error.
    """

    def __init__(self, pack: str, skips: bool = False) -> None:
        self.root_map: dict[str, str] = {}
        self.missing: list[tuple[str, str]] = []
        self._pack, self._skips = pack, skips
        self._known: dict[str, str] = {}

    def of(
        self, run: str, registry: Registry, resources: Iterable[ResourceFiles]
    ) -> Iterator[tuple[str, str]]:
        """Yield the new name, and the path, of each file of a run that is not yet in the pack."""
        for resource in resources:
            files = list(existing_files(registry, resource, self._pack, self._skips))
            if self._skips:
                self.missing += [(run, path) for path in resource.paths if not os.path.exists(path)]
            if not files:
                continue
            relative = whole_path(resource.place.recorded)
            for path in files:
                new = destination(FOLDER, relative, path, resource.place)
                if self._is_new(new, path):
                    yield new.replace(os.sep, "/"), path
            self._add_root(str(resource.document.get("root") or ""), resource.place)

    def _is_new(self, new: str, path: str) -> bool:
        known = self._known.setdefault(new, path)
        if known is not path and known != path and not os.path.samefile(known, path):
            raise CopyRefused(
                f"{known} and {path} are both recorded as one file. Pack the runs of each source "
                "by themselves."
            )
        return known is path

    def _add_root(self, root: str, place: Place) -> None:
        old = root if place.root else top_of(place.recorded, place.windows)
        if any(mark in old for mark in _TEMPLATES):
            raise CopyRefused(f"The root {old!r} cannot be told in a catalog.yml.")
        if old not in self.root_map:
            below = whole_path(old).rstrip("/")
            self.root_map[old] = f"{FOLDER}/{below}" if below else FOLDER


def top_of(path: str, windows: bool = False) -> str:
    """Return the first folder of a path.

    Examples
    --------
    >>> top_of("/data/2024/a.h5"), top_of("C:/data/2024/a.h5", windows=True), top_of("a.h5")
    ('/data', 'c:/data', '')
    """
    parts = path_parts(path, windows)
    absolute = parts[:1] == ["/"] or (windows and parts[0].endswith(":"))
    folders = parts[:-1][:2] if absolute else []
    return "/".join(folders).replace("//", "/")
