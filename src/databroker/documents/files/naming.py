"""How the files of runs are named."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

_LONGEST = 200  # bytes of a name, which file systems allow a few more of


def file_name(uid: str) -> str:
    """Return a name for the file of a run, of characters that every file system has.

    Examples
    --------
    >>> file_name("0ce9b8a2-01ee-4f65-8efa-4e8c92f3d9c8"), file_name("a/b")
    ('0ce9b8a2-01ee-4f65-8efa-4e8c92f3d9c8', 'a%2Fb')
    """
    name = quote(uid, safe=" ", errors="surrogatepass")
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return f"%2E{name[1:]}" if name.startswith(".") else name or "%"
