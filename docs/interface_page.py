"""Writes interface.md, the page on the names of databroker 1.x, from interface.toml."""

import tomllib
from pathlib import Path

HERE = Path(__file__).parent

STATES = ("same", "mended", "gone")

INTRODUCTION = """\
# The interface of databroker 1.x

Scripts that were written for databroker 1.x run unchanged. This page says for
every name of 1.x what became of it: it is the **same**; it is **mended**, and
differs as the note says; or it is **gone**, and the note says what to use instead.

<!-- Made by `python docs/interface_page.py` from interface.toml; do not edit. -->
"""


def table() -> list[dict]:
    """Return the sections, each with its rows: name, state, note."""
    with open(HERE / "interface.toml", "rb") as file:
        return tomllib.load(file)["section"]


def page(sections: list[dict]) -> str:
    """Return the page."""
    parts = [INTRODUCTION]
    for section in sections:
        lines = [f"## {section['title']}", "", "| name | | note |", "| --- | --- | --- |"]
        lines += [
            f"| `{name}` | {state if state == 'same' else f'**{state}**'} | {note} |"
            for name, state, note in section["rows"]
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (HERE / "interface.md").write_text(page(table()))
