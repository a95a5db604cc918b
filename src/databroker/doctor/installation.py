"""What is installed: databroker, Python, and the packages of the extras."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata

from .. import __version__
from .finding import Diagnosis

_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+).*?;.*extra\s*==\s*[\"'](?P<extra>[\w-]+)[\"']")
_OF_DEVELOPERS = ("test", "test-tiled", "lint")


def look_at_installation() -> Iterator[Diagnosis]:
    """Yield what is installed, and what could be."""
    yield Diagnosis("good", "databroker", f"version {__version__}")
    python = f"{platform.python_version()} at {sys.executable}, on {platform.platform()}"
    yield Diagnosis("good", "Python", python)
    absent = []
    for extra, packages in _extras().items():
        missing = [name for name in packages if _version(name) is None]
        if missing == packages:
            absent.append(extra)
        elif missing:
            found, mend = (
                f"not installed: {', '.join(missing)}",
                f"pip install 'databroker[{extra}]'",
            )
            yield Diagnosis("note", f"extra {extra}", found, mend)
        else:
            versions = ", ".join(f"{name} {_version(name)}" for name in packages)
            yield Diagnosis("good", f"extra {extra}", versions)
    if absent:
        mend = f"pip install 'databroker[{absent[0]}]', if you need it; the others likewise"
        yield Diagnosis("note", "other extras", f"not installed: {', '.join(absent)}", mend)


def _extras() -> dict[str, list[str]]:
    """Return the packages of each extra that is there for users."""
    found: dict[str, list[str]] = {}
    try:
        required = metadata.requires("databroker") or []
    except metadata.PackageNotFoundError:  # it runs from a checkout
        return found
    for text in required:
        match = _REQUIREMENT.match(text)
        if match and match["extra"] not in _OF_DEVELOPERS and match["name"] != "databroker":
            found.setdefault(match["extra"], []).append(match["name"])
    return found


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
