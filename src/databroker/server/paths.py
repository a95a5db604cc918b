"""What the path of a request names, wherever the application is mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..stores.wire.calls import VERSION

if TYPE_CHECKING:
    from starlette.types import Scope


def path_of(scope: Scope) -> str:
    """Return the path of a request below the application.

    Examples
    --------
    >>> path_of({"path": "/db/lab/v1/find", "root_path": "/db"})
    '/lab/v1/find'
    """
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def source_and_call(path: str) -> tuple[str, str]:
    """Return the source and the call that a path names; without a version in it, it names none.

    Examples
    --------
    >>> source_and_call("/lab/v1/find"), source_and_call("/v1/about"), source_and_call("/metrics")
    (('lab', 'find'), ('', 'about'), ('', ''))
    """
    before, version, after = path.partition(f"/{VERSION}/")
    return (before.strip("/"), after.partition("/")[0]) if version else ("", "")
