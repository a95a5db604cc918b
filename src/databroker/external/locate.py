"""Where an external file is: from documents, through the root map, to a path of this machine.

Documents say where a file was when it was written. The root map says which
folders are elsewhere now; the longest entry that fits is applied, and it may
fit a part of a root, or of an absolute path, as well as a whole root.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from .._util.signals import suppressed
from ..errors import FileRefused
from .guard import is_odd_file, is_remote, share_of
from .references import DataReference, Place, failure

Document = Mapping[str, Any]

_DRIVE = re.compile(r"[A-Za-z]:(/|$)")


def place_of(document: Document, root_map: Mapping[str, str] | None = None) -> Place:
    """Return where the file of a resource, or of a stream resource, is.

    Examples
    --------
    >>> place = place_of({"root": "/data/2024", "resource_path": "a.h5"}, {"/data": "/mnt"})
    >>> place.path, place.recorded
    ('/mnt/2024/a.h5', '/data/2024/a.h5')
    >>> place_of({"uri": "file://localhost/data/a%20b.h5"}).path
    '/data/a b.h5'
    """
    root, rest = "", document.get("uri")
    windows = False
    if rest is None:
        root, rest = document.get("root") or "", str(document["resource_path"])
        windows = document.get("path_semantics") == "windows"
        if windows:
            root, rest = root.replace("\\", "/"), rest.replace("\\", "/")
    else:
        rest = path_of_uri(rest)
    windows = windows or bool(_DRIVE.match(root or rest))
    recorded = _join(root, rest)
    if recorded == rest and root:
        root = root if _inside(rest, root, windows) else ""
    path, mapped = _apply(recorded, root, root_map or {}, windows)
    return Place(path, recorded, root, mapped, windows)


def path_of_uri(uri: str) -> str:
    """Return the path that a file URI stands for; what is no URI is a path already.

    Examples
    --------
    >>> path_of_uri("file://localhost/data/x%20y.h5"), path_of_uri("file:///data/#1.h5")
    ('/data/x y.h5', '/data/#1.h5')
    >>> path_of_uri("file://localhost/C:/data/x.h5"), path_of_uri("/data/50%.h5")
    ('C:/data/x.h5', '/data/50%.h5')
    >>> path_of_uri("file://C:/data/x.h5")  # not right, but written by some
    'C:/data/x.h5'
    """
    drive = re.match(r"file:/{0,3}([A-Za-z]:[/\\].*)", uri, re.IGNORECASE | re.DOTALL)
    if drive is not None:
        return unquote(drive[1]).replace("\\", "/")
    # Producers do not escape '#' and '?', so a parser of URIs would cut the path there.
    match = re.match(r"file:(?://[^/]*)?(/.*)", uri, re.IGNORECASE | re.DOTALL)
    if match is None:
        return uri
    path = unquote(match[1])
    return path[1:] if _DRIVE.match(path[1:]) else path


def uri_of_path(path: str) -> str:
    """Return the URI of a path, as stream resources have it.

    Examples
    --------
    >>> uri_of_path("/data/x y.h5")
    'file://localhost/data/x%20y.h5'
    """
    path = path.replace(os.sep, "/")
    return "file://localhost" + quote(path if path.startswith("/") else f"/{path}", safe="/:")


class Guard:
    """The folders from which external files may be read. What is no local file is never read.

    Examples
    --------
    >>> Guard(["/data"]).allows("/data/../etc/passwd"), Guard(["/data"]).allows("/data/a.h5")
    (False, True)
    >>> Guard().allows("/etc/passwd"), Guard().allows("http://host/a.csv")
    (True, False)
    """

    def __init__(self, allowed: Iterable[str] = (), named: Iterable[str] = ()) -> None:
        self.allowed = tuple(os.path.expanduser(folder) for folder in allowed)
        self._shares = {"", *map(share_of, (*self.allowed, *named))}

    def __bool__(self) -> bool:
        return bool(self.allowed)

    def allows(self, path: str) -> bool:
        """Tell whether a file may be read, wherever symbolic links lead."""
        return self._problem(path) is None

    def check(
        self, path: str, reference: DataReference | None = None, place: Place | None = None
    ) -> None:
        """Raise if a file may not be read."""
        if (problem := self._problem(path)) is not None:
            where = place or Place(path, path)
            raise failure(FileRefused, reference or DataReference(), where, *problem)

    def _problem(self, path: str) -> tuple[str, str] | None:
        """Return why a file may not be read, and a remedy; None if it may."""
        if is_remote(path):
            problem = f"{path} is a URL, and only files of this machine are read"
            return problem, "Copy the data to this machine, and say where with root_map."
        if self._is_elsewhere(path):
            share = share_of(path)
            problem = f"{path} is on another machine, which no configuration names"
            return (
                problem,
                f"If that is right: root_map: {{{share!r}: {share!r}}} in the configuration.",
            )
        if is_odd_file(path):
            return f"{path} is a device, a socket or a pipe, and only files are read", ""
        real = os.path.realpath(path) if self.allowed else ""
        # A root may itself be a link: both sides are resolved.
        if not self.allowed or any(is_below(os.path.realpath(each), real) for each in self.allowed):
            return None
        problem = f"{path} is outside of the allowed roots ({', '.join(self.allowed)})"
        remedy = "If it belongs to the data, add its folder to allowed_roots in the configuration."
        return problem, remedy

    def _is_elsewhere(self, path: str) -> bool:
        # Elsewhere than on Windows, two slashes are one. There, a host that is asked is
        # told who asks, even before it is known whether the file is there.
        return os.name == "nt" and share_of(path) not in self._shares


def is_below(folder: str, path: str) -> bool:
    """Tell whether a path leads into a folder, or is that folder."""
    try:
        return os.path.commonpath([folder, path]) == os.path.normpath(folder)
    except ValueError:  # different drives
        return False


def is_there(path: str) -> bool:
    """Tell whether there is a file or folder, or a file whose name begins so, as in a sequence."""
    if os.path.exists(path):
        return True
    folder, beginning = os.path.split(path)
    with suppressed(OSError, ValueError), os.scandir(folder or ".") as entries:
        return bool(beginning) and any(entry.name.startswith(beginning) for entry in entries)
    return False


def beside(old: str, new: str, path: str) -> str:
    """Return where a file is that goes with another one, of which the path was an old one.

    Its name goes on where that path ends, or it is beside it.

    Examples
    --------
    >>> beside("/data/img", "/new/img", "/data/img_0.npy")
    '/new/img_0.npy'
    """
    if path.startswith(old):
        return new + path[len(old) :]
    relative = os.path.relpath(path, os.path.dirname(old) or ".")
    return os.path.normpath(os.path.join(os.path.dirname(new), relative))


def _join(root: str, rest: str) -> str:
    if not root or rest.startswith("/") or _DRIVE.match(rest):
        return rest
    return f"{root.rstrip('/') or '/'}/{rest}".replace("//", "/", 1 if root == "/" else 0)


def path_parts(path: str, windows: bool = False) -> list[str]:
    r"""Return the parts of a path, a slash that it begins with as the first.

    Examples
    --------
    >>> path_parts("/data//a.h5"), path_parts("C:\\Data\\a.h5", windows=True)
    (['/', 'data', 'a.h5'], ['c:', 'data', 'a.h5'])
    """
    if windows:
        path = path.replace("\\", "/").casefold()
    anchor = ["/"] if path.startswith("/") else []
    return anchor + [part for part in path.split("/") if part not in ("", ".")]


def _inside(path: str, folder: str, windows: bool) -> bool:
    outer = path_parts(folder, windows)
    return path_parts(path, windows)[: len(outer)] == outer


def _apply(
    recorded: str, root: str, root_map: Mapping[str, str], windows: bool
) -> tuple[str, tuple[str, str] | None]:
    """Apply the entry of the root map that fits most of a path."""
    mine = path_parts(recorded, windows)
    best: tuple[int, str, str] | None = None
    for old, new in root_map.items():
        outer = path_parts(str(old), windows)
        # The empty root stands for files that were recorded without one.
        fits = mine[: len(outer)] == outer if outer else not root and mine[:1] != ["/"]
        if fits and (best is None or len(outer) > best[0]):
            best = (len(outer), str(old), str(new))
    if best is None:
        return recorded, None
    count, old, new = best
    rest = "/".join(path_parts(recorded)[count:])
    target = os.path.expanduser(new)
    path = os.path.join(target, *rest.split("/")) if rest else target
    # A trailing slash says that the path is a folder, to which names are joined.
    return (os.path.join(path, "") if recorded.endswith("/") else path), (old, new)
