"""Cells of a table as text that is as wide as a terminal shows it, and fits into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells, set_cell_size

__all__ = ["GAP", "cut", "folded", "line_of", "padded", "width_of"]

GAP = "  "
"""What stands between two columns."""


def width_of(texts: Sequence[str]) -> int:
    """Return how many cells the widest of the texts takes."""
    return max(map(cell_len, texts))


def padded(texts: Sequence[str], *, right: bool = False) -> list[str]:
    """Return a column: texts that are all as wide as the widest."""
    width = width_of(texts)
    rest = [" " * (width - cell_len(text)) for text in texts]
    left, last = (rest, texts) if right else (texts, rest)
    return list(map("".join, zip(left, last, strict=True)))


def line_of(cells: Sequence[str]) -> str:
    """Return the cells of a row as a line."""
    return GAP.join(cells).rstrip()


def cut(text: str, width: int) -> str:
    """Return a text that ends with '…' where it is too wide."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def folded(text: str, width: int) -> Iterator[str]:
    """Yield a text as lines that are not too wide; a line ends where a word does, if it can."""
    if cell_len(text) <= width:
        yield text
        return
    import textwrap

    for line in textwrap.wrap(text, width):
        yield from chop_cells(line, width)
