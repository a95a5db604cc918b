"""The file with the secret of a user's servers on one machine: it outlives each of them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ..._util.signals import not_from_signal
from ..._util.whole_files import whole_file

_NAME = "server-secret"


def persistent_secret(folder: Path) -> str:
    """Return the secret that is kept in a folder, and make it if there is none.

    Where nothing can be kept, it is a new one, which is good until the server ends.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     persistent_secret(Path(folder)) == persistent_secret(Path(folder))
    True
    """
    path = folder / _NAME
    try:
        if not path.exists():
            _keep(path, secrets.token_urlsafe(32))
        return path.read_text(encoding="ascii")
    except not_from_signal(OSError, UnicodeDecodeError):
        return secrets.token_urlsafe(32)


def _keep(path: Path, secret: str) -> None:
    """Keep a secret for this user alone, unless another process has just kept one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(path) as part:
            made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w", encoding="ascii") as file:
                file.write(secret)
    except not_from_signal(FileExistsError):
        return
