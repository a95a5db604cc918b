"""External files as a list for people: whether they are there, how large, what of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..._util.printable import printable
from ...display.counting import counted
from ...display.markup import block, quiet, table
from ...display.summary import one_line, size
from ...display.text import aligned
from ...stores.external import ExternalFile

_HEAD = ("run", "exists", "size", "fields", "path")  # the longest last
_MOST = 20
_PROBLEMS = 3


def files_text(files: Sequence[ExternalFile], most: int = _MOST) -> str:
    """Return files as a table; of a long one, the first and the last."""
    head, left_out, tail = _shortened(files, most)
    rows = [_HEAD, *map(_cells, head), *map(_cells, tail)]
    # Whose file it is, is worth a column where there are several runs.
    first = 0 if len({file.run for file in files}) > 1 else 1
    lines = list(aligned([row[first:] for row in rows])) if files else []
    if left_out:
        lines.insert(len(head) + 1, f"... and {left_out:,} more ...")
    return "\n".join([_totals(files), *lines, *_problems(files)])


def files_html(files: Sequence[ExternalFile]) -> str:
    """Return files as a table; of a long one, the first and the last."""
    head, left_out, tail = _shortened(files)
    rest = [("", "", "", "", f"… and {left_out:,} more …")] if left_out else []
    rows = [*map(_cells, head), *rest, *map(_cells, tail)]
    columns = dict(zip(_HEAD, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    listed = table(columns, ["size"], widest=40) if rows else ""
    return block("Files", quiet(_totals(files)), listed, *map(quiet, _problems(files)))


def _totals(files: Iterable[ExternalFile]) -> str:
    """Return how many files there are, how many of them are there, and their size."""
    # Several runs may have one file.
    each_once = {file.path: file for file in files}.values()
    if not each_once:
        return "no external files"
    present = [file for file in each_once if file.exists]
    number = counted(len(each_once), "file")
    of_them = "all" if len(present) == len(each_once) > 1 else f"{len(present):,}"
    where = "at the server" if present and all(file.at_server for file in present) else "there"
    return f"{number}, {of_them} {where} ({size(sum(file.size or 0 for file in present))})"


def _cells(file: ExternalFile) -> tuple[str, ...]:
    """Return what is shown of a file, in the order of `_HEAD`."""
    return (
        one_line(file.run)[:8],
        "server" if file.at_server else "yes" if file.exists else "no",
        "" if file.size is None else size(file.size),
        one_line(", ".join(file.fields)),
        printable(file.path, lines=False),
    )


def _shortened(
    files: Sequence[ExternalFile], most: int = _MOST
) -> tuple[Sequence[ExternalFile], int, Sequence[ExternalFile]]:
    """Return the first files, how many are left out, and the last ones."""
    if len(files) <= most:
        return files, 0, []
    half = most // 2
    return files[:half], len(files) - 2 * half, files[-half:]


def _problems(files: Iterable[ExternalFile]) -> Iterator[str]:
    """Yield, a line each, why not more is known of some of the files."""
    each_once = list(dict.fromkeys(file.problem for file in files if file.problem))
    for problem in each_once[:_PROBLEMS]:
        yield one_line(problem, 400)
    if len(each_once) > _PROBLEMS:
        rest = len(each_once) - _PROBLEMS
        yield f"... and {rest} more problems: `problem` of each, or --json at the terminal"
