"""Pieces of HTML that every page is made of.

Everything is escaped here. Colours are left to the notebook, so that dark ones
stay readable; only lines and the words for a status have one, chosen to be
legible on both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from html import escape as escaped
from typing import Any

from .._util.printable import printable
from .summary import one_line

_LINE = "border:0;border-bottom:1px solid rgba(128,128,128,.3)"
_CELL = f"vertical-align:top;padding:2px 12px 2px 0;background:none;{_LINE}"
# A row stays one line: what is long is cut, and the mouse shows the rest.
_CUT = "white-space:nowrap;overflow:hidden;text-overflow:ellipsis;max-width:"
# Browsers and notebooks give tables colours of their own, which a dark page would hide.
_TABLE = "border-collapse:collapse;margin:4px 0;color:inherit;font-size:inherit"
QUIET = "opacity:.65"
_COLOURS = {
    "success": "#2e9e5b",
    "running": "#3d8bd4",
    "waiting": "#8a63d2",
    "abort": "#c98500",
    "fail": "#d9485f",
}
_SHORT = 8
"""Longer texts are shown whole where the mouse is."""

Mark = Callable[[str], str]


def escape(text: str) -> str:
    """Return text as HTML, which also shows what changes the order in which it is read."""
    return escaped(printable(text))


def block(title: str, *parts: str) -> str:
    """Return parts, which are HTML, below a title, which is text."""
    heading = f'<div style="font-weight:600;font-size:110%">{escape(title)}</div>'
    return f'<div class="databroker">{heading}{"".join(parts)}</div>'


def folded(summary: str, html: str, is_open: bool = False) -> str:
    """Return HTML that is seen when somebody clicks on the summary, which is text."""
    head = f'<summary style="cursor:pointer">{escape(summary)}</summary>'
    return f"<details{' open' * is_open}>{head}{html}</details>"


def quiet(text: str) -> str:
    """Return a line of text that is no more than a remark."""
    return f'<div style="{QUIET}">{escape(text)}</div>'


def shown(value: Any) -> str:
    """Return a value of a document as HTML, in one line; nothing for None."""
    return "" if value is None else escape(one_line(value))


def code(text: str) -> str:
    """Return something to be copied."""
    return f"<code>{escape(text)}</code>"


def status(text: str) -> str:
    """Return the word for a status, in its colour."""
    colour = _COLOURS.get(text)
    style = f' style="color:{colour};font-weight:600"' if colour else ""
    return f"<span{style}>{escape(text)}</span>"


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Return names, which are text, with values, which are HTML."""
    lines = "".join(
        f'<tr style="background:none"><th style="text-align:left;white-space:nowrap;{_CELL};'
        f'font-weight:600">{escape(name)}</th>'
        f'<td style="text-align:left;{_CELL}">{html}</td></tr>'
        for name, html in rows
    )
    return f'<table style="{_TABLE}"><tbody>{lines}</tbody></table>'


def table(
    columns: Mapping[str, Sequence[str]],
    numbers: Collection[str] = (),
    marks: Mapping[str, Mark] | None = None,
    widest: int = 24,
    uncut: Collection[str] = (),
) -> str:
    """Return columns of text as a table; those that are empty are left out.

    Columns of `numbers` end below each other; `marks` make HTML of texts that are not plain;
    a column is cut at so many widths of an m, unless it is one of `uncut`.
    """
    filled = {caption: texts for caption, texts in columns.items() if any(texts)}
    styles = {
        caption: f"text-align:{'right' if caption in numbers else 'left'};{_CELL};"
        + ("white-space:nowrap" if caption in uncut else f"{_CUT}{widest}em")
        for caption in filled
    }
    head = "".join(
        f'<th style="{styles[caption]};{QUIET}">{escape(caption)}</th>' for caption in filled
    )
    lines = []
    for texts in zip(*filled.values(), strict=True):
        cells = []
        for caption, text in zip(filled, texts, strict=True):
            more = f' title="{escape(text)}"' if len(text) > _SHORT else ""
            html = (marks or {}).get(caption, escape)(text)
            cells.append(f'<td style="{styles[caption]}"{more}>{html}</td>')
        lines.append(f'<tr style="background:none">{"".join(cells)}</tr>')
    return (
        f'<table style="{_TABLE}"><thead><tr style="background:none">{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )
