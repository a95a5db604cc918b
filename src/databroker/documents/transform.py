"""What may change documents as they are read: the transforms of a configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Transform = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Is given the kind of a document and the document; returns it as it is to be read."""


def unchanged(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as it is stored."""
    return document
