"""What a thing is, in the words that entries of catalogs had in databroker 1.x."""

from __future__ import annotations

from typing import Any


def description(
    name: str | None, container: str, plugin: str, kind: type, metadata: dict[str, Any]
) -> dict[str, Any]:
    """Return the description of a catalog, a run or a stream.

    Examples
    --------
    >>> description("a", "catalog", "bluesky-run", dict, {"start": {"uid": "a"}})["plugin"]
    ['bluesky-run']
    """
    return {
        "name": name,
        "container": container,
        "plugin": [plugin],
        "driver": [f"{kind.__module__}.{kind.__qualname__}"],
        "description": "",
        "direct_access": "forbid",
        "user_parameters": [],
        "metadata": metadata,
        "args": {},
    }
