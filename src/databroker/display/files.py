"""External files as a list for people: whether they are there, how large, what of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from .._util.printable import printable
from .summary import one_line
from .text import aligned

__all__ = [
    "HEAD",
    "MOST",
    "ShownFile",
    "cells",
    "files_text",
    "problems",
    "shortened",
    "size",
    "totals",
]

HEAD = ("run", "exists", "size", "path", "fields")
"""What is shown of each file."""

MOST = 20
"""How many files are shown of a long list."""

_PROBLEMS = 3


class ShownFile(Protocol):
    """What is shown of a file; see `databroker.external.ExternalFile`."""

    @property
    def path(self) -> str:
        """Where it is sought."""

    @property
    def exists(self) -> bool:
        """Whether it is there."""

    @property
    def size(self) -> int | None:
        """In bytes."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it belongs to."""

    @property
    def run(self) -> str:
        """The uid of the run."""

    @property
    def problem(self) -> str | None:
        """Why not more is known."""


def files_text(files: Sequence[ShownFile], most: int = MOST) -> str:
    """Return files as a table; of a long one, the first and the last."""
    head, left_out, tail = shortened(files, most)
    rows = [HEAD, *map(cells, head), *map(cells, tail)]
    # Whose file it is, is worth a column where there are several runs.
    first = 0 if len({file.run for file in files}) > 1 else 1
    lines = list(aligned([row[first:] for row in rows])) if files else []
    if left_out:
        lines.insert(len(head) + 1, f"... and {left_out:,} more ...")
    return "\n".join([totals(files), *lines, *problems(files)])


def totals(files: Iterable[ShownFile]) -> str:
    """Return how many files there are, how many of them are there, and their size."""
    # Several runs may have one file.
    each_once = {file.path: file for file in files}.values()
    if not each_once:
        return "no external files"
    present = [file for file in each_once if file.exists]
    number = f"{len(each_once):,} file{'' if len(each_once) == 1 else 's'}"
    of_them = "all" if len(present) == len(each_once) > 1 else f"{len(present):,}"
    return f"{number}, {of_them} there ({size(sum(file.size or 0 for file in present))})"


def cells(file: ShownFile) -> tuple[str, ...]:
    """Return what is shown of a file, in the order of `HEAD`."""
    return (
        one_line(file.run)[:8],
        "yes" if file.exists else "no",
        "" if file.size is None else size(file.size),
        printable(file.path, lines=False),
        one_line(", ".join(file.fields)),
    )


def shortened(
    files: Sequence[ShownFile], most: int = MOST
) -> tuple[Sequence[ShownFile], int, Sequence[ShownFile]]:
    """Return the first files, how many are left out, and the last ones."""
    if len(files) <= most:
        return files, 0, []
    half = most // 2
    return files[:half], len(files) - 2 * half, files[-half:]


def problems(files: Iterable[ShownFile]) -> Iterator[str]:
    """Yield, a line each, why not more is known of some of the files."""
    each_once = list(dict.fromkeys(file.problem for file in files if file.problem))
    for problem in each_once[:_PROBLEMS]:
        yield one_line(problem, 400)
    if len(each_once) > _PROBLEMS:
        yield f"... and {len(each_once) - _PROBLEMS} more problems; see the attribute `problem`"


def size(number: int) -> str:
    """Return a number of bytes for people."""
    if number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        # 999.95 would be shown as 1000.0.
        if value < 999.95 or unit == "PB":
            break
    return f"{value:.1f} {unit}"
