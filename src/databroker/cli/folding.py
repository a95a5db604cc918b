"""Lines that end where words do: what a person copies, such as a path or a uid, is never broken."""

from __future__ import annotations

import re

from rich.cells import cell_len

_BEFORE = re.compile(r"\s*(- |→ )?")


def folded(line: str, width: int, indent: str = "") -> list[str]:
    """Return a line as lines that are not too wide, unless a word is.

    Examples
    --------
    >>> folded("The runs are in /data/2024-07/lab.db now.", 26)
    ['The runs are in', '/data/2024-07/lab.db now.']
    """
    lines: list[str] = []
    for word in re.findall(r"\s*\S+", line):
        if lines and cell_len(lines[-1] + word) > width:
            lines.append(indent + word.lstrip())
        elif lines:
            lines[-1] += word
        else:
            lines.append(word)
    return lines or [line]


def folded_text(text: str, width: int) -> str:
    r"""Return lines of text that go on below their beginning where they are too wide.

    Examples
    --------
    >>> print(folded_text("2 refused:\n- a.jsonl, line 7: it is no JSON", 24))
    2 refused:
    - a.jsonl, line 7: it is
      no JSON
    """
    found: list[str] = []
    for line in text.split("\n"):
        before = _BEFORE.match(line)
        indent = " " * (before.end() if before else 0)
        found += folded(line, width, indent) if cell_len(line) > width else [line]
    return "\n".join(found)
