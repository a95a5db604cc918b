"""The functions of a configuration that change documents as they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..external.import_path import imported


class Transforms:
    """Functions from a document to a document by kind, or where to import them from.

    Examples
    --------
    >>> transform = Transforms({"start": lambda doc: {**doc, "sample": "Ni"}})
    >>> transform("start", {"uid": "a"}), transform("stop", {"uid": "b"})
    ({'uid': 'a', 'sample': 'Ni'}, {'uid': 'b'})
    """

    def __init__(self, functions: Mapping[str, Any] | None = None) -> None:
        self._functions = dict(functions or {})

    def __contains__(self, kind: str) -> bool:
        return self._functions.get(kind) is not None

    def __call__(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        """Return the document as it is to be read."""
        function = self._functions.get(kind)
        if function is None:
            return document
        changed: dict[str, Any] = imported(function, f"transforms: {kind}")(document)
        return changed
