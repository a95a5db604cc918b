"""What files write in braces: ``{{ env(NAME) }}``, so that a secret need not stand in them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from .source_map import Section

_TEMPLATE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_CALL = re.compile(r"(\w+)\(\s*(['\"]?)(.*?)\2\s*\)")
_AS_WRITTEN = ("description", "metadata")


def filled_in(section: Section) -> Section:
    """Return what a file says, with each template replaced by what it stands for.

    Examples
    --------
    >>> os.environ["LAB_FOLDER"] = "/data/lab"
    >>> dict(filled_in(Section({"path": "{{ env('LAB_FOLDER') }}/runs.db"})))
    {'path': '/data/lab/runs.db'}
    >>> del os.environ["LAB_FOLDER"]
    """
    values = {
        key: value if key in _AS_WRITTEN else _expand(value, section, key)
        for key, value in section.items()
    }
    return section.holding(values)


def _expand(value: Any, section: Section, *keys: str) -> Any:
    if isinstance(value, str):
        return _TEMPLATE.sub(lambda template: _meaning(template, section, keys), value)
    if isinstance(value, list | tuple):
        return [_expand(item, section, *keys) for item in value]
    if isinstance(value, Mapping):
        return {name: _expand(item, section, *keys, name) for name, item in value.items()}
    return value


def _meaning(template: re.Match[str], section: Section, keys: tuple[str, ...]) -> str:
    inside = template[1]
    if inside == "CATALOG_DIR":
        return str(section.folder)
    call = _CALL.fullmatch(inside)
    word, argument = (call[1], call[3]) if call else (inside, "")
    if word == "env" and argument:
        if argument not in os.environ:
            raise section.error(f"the environment variable {argument!r} is not set.", *keys)
        return os.environ[argument]
    # shell(...) among them: reading a configuration must not run commands.
    why = " A configuration runs no commands; put what it would print into a variable."
    raise section.error(
        f"the template {word!r} is not supported; CATALOG_DIR and env(NAME) are."
        f"{why if word in ('shell', 'cmd') else ''}",
        *keys,
    )
