"""The file with the keys of a server: changed as a whole, and read again when it has changed."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ..._util.file_lock import try_lock
from ..._util.polling import wait_until
from ..._util.signals import not_from_signal, suppressed
from ..._util.whole_files import whole_file
from ...config.search import config_folders, user_config_dir
from ...errors import InvalidConfiguration, NoSuchKey, StoreUnavailable
from .authenticator import Credentials
from .caller import Caller
from .keys import Key, new_key, parts_of

_NAME = "keys.json"
_LOCKED = 10.0
"""Seconds that another process may take to change the file."""

_LOG = logging.getLogger("databroker.server")

Keys = Mapping[str, Key]
"""Keys by what stands in them for all to see."""


def default_key_file() -> Path:
    """Return where the keys of this user's servers are, or would be."""
    paths = [folder / _NAME for folder in config_folders()]
    return next((path for path in paths if path.exists()), user_config_dir() / _NAME)


class KeyFile:
    """Lets in whoever has one of the keys in a file, which other processes may change.

    Parameters
    ----------
    path
        The file, as `databroker keys` makes it. If there is none, there are no keys.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keys = KeyFile(f"{folder}/keys.json")
    ...     key, text = keys.make(Caller("ann", frozenset({"read"})))
    ...     known = keys.authenticate(Credentials(text)).name
    ...     keys.revoke("ann")[0].id == key.id, known, keys.authenticate(Credentials(text))
    (True, 'key:ann', None)
    """

    may_wait = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._keys: Keys = {}

    def authenticate(self, credentials: Credentials) -> Caller | None:
        """Return the caller of a key; see `Authenticator.authenticate`."""
        parts = parts_of(credentials.token or "")
        if parts is None:
            return None
        id, secret = parts
        try:
            key = self.keys().get(id)
        except not_from_signal(InvalidConfiguration, OSError) as error:
            _LOG.error("no key lets in: %s", error)
            return None
        if key is None or not key.is_of(secret):
            return None
        key.check()
        return key.caller.known_by("key")

    def keys(self) -> Keys:
        """Return the keys as they are now.

        Raises
        ------
        InvalidConfiguration
            What is in the file is something else, or anybody may write it.
        """
        with self._lock:
            try:
                found = os.stat(self.path)
            except FileNotFoundError:
                self._seen, self._keys = None, {}
                return self._keys
            # What takes its place is another file, however soon that comes.
            seen = found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
            if seen != self._seen:
                self._check_mode(found.st_mode)
                self._keys = self._read()
                self._seen = seen
            return self._keys

    def make(self, caller: Caller, expires: float | None = None) -> tuple[Key, str]:
        """Make a key.

        Parameters
        ----------
        caller
            Whose key it is, and what it allows.
        expires
            When it ends, in seconds since 1970; None for never.

        Returns
        -------
        tuple[Key, str]
            The key as it is kept, and its text, which is sent as a token and cannot be found out
            again.

        Raises
        ------
        InvalidConfiguration
            There is a key of this name, or the name is empty.
        """
        if not caller.name.strip():
            raise InvalidConfiguration("The name of a key is empty. It says whose key it is.")
        key, text = new_key(caller, expires)

        def added(keys: Keys) -> Keys:
            if any(each.caller.name == caller.name for each in keys.values()):
                raise InvalidConfiguration(
                    f"There is a key of {caller.name!r} already. Revoke it, or give this one "
                    "another name."
                )
            return {**keys, key.id: key}

        self._change(added)
        return key, text

    def revoke(self, which: str) -> list[Key]:
        """Revoke a key.

        Parameters
        ----------
        which
            The name of its caller, or its id.

        Returns
        -------
        list[Key]
            What was revoked.

        Raises
        ------
        NoSuchKey
            There is no such key.
        """
        gone: list[Key] = []

        def left(keys: Keys) -> Keys:
            gone[:] = [each for each in keys.values() if which in (each.id, each.caller.name)]
            if not gone:
                names = ", ".join(each.caller.name for each in keys.values())
                there = f"There: {names}." if names else "There is none yet."
                raise NoSuchKey(f"There is no key {which!r} in {self.path}. {there}")
            return {id: each for id, each in keys.items() if each not in gone}

        self._change(left)
        return gone

    def _change(self, change: Callable[[Keys], Keys]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._alone():
            keys = change(self.keys())
            data = {id: key.to_json() for id, key in keys.items()}
            with whole_file(self.path, overwrite=True) as part:
                part.touch(mode=0o600)  # before there is anything in it
                self._keep_owner(part)
                part.write_text(json.dumps({"keys": data}, indent=1), encoding="utf-8")

    def _keep_owner(self, part: Path) -> None:
        """Let the file be whose it was: an administrator may change it for the server's user."""
        if hasattr(os, "chown") and self.path.exists():
            before = self.path.stat()
            with suppressed(PermissionError):
                os.chown(part, before.st_uid, before.st_gid)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep out others that would change the file; readers find it whole at any time."""
        place = self.path.with_name(f".{self.path.name}.lock")
        # Nobody else may open it: who locks it keeps keys from being revoked.
        with open(place, "w", opener=partial(os.open, mode=0o600)) as file:
            self._keep_owner(place)
            if not wait_until(lambda: try_lock(file), _LOCKED):
                raise StoreUnavailable(f"Another process is changing {self.path}. Try again.")
            yield

    def _check_mode(self, mode: int) -> None:
        if os.name == "posix" and mode & stat.S_IWOTH:
            raise InvalidConfiguration(
                f"Anybody on this machine may write {self.path}, and so make keys. Take that right "
                f"away (chmod 600 {self.path}), and look whether these are yours (databroker keys "
                "list)."
            )

    def _read(self) -> Keys:
        try:
            data: Any = json.loads(self.path.read_text(encoding="utf-8"))
            return {id: Key.from_json(id, each) for id, each in data["keys"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidConfiguration(
                f"{self.path} is no file of keys: {error!r:.200}. Move it away: 'databroker keys "
                "make' makes one."
            ) from error
