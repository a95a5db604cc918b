"""What is said of external files that stay in packs whose runs are taken elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .output import complain


def tell_of_files_left(paths: Iterable[str], root_map: Mapping[str, str] | None = None) -> None:
    """Say which external files stay in packs, and what to do if the runs need them."""
    from ..packing.left import files_left

    for path in paths:
        if (left := files_left(path, root_map)) is not None:
            complain(str(left))
