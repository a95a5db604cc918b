"""Opening a store behind a server, whether that is there or not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..._util.secrets import hide_passwords_in
from ..._util.user_folders import user_data_dir
from ..base import Store
from .store import AFTER, SpillStore

OPTIONS = ("spill", "spill_after", "spill_sync")
"""What a configuration says about waiting."""

_HOW = ("token", "timeout", "compression", "read_only")
"""What says how a database is asked, and not which it is: with another key, the same waits."""


def open_behind_server(driver: str, make: Callable[..., Store], given: Mapping[str, Any]) -> Store:
    """Open a store; where it is to be written to, so that inserting goes on without its server."""
    options = {key: value for key, value in given.items() if key not in OPTIONS}
    place = given.get("spill", True)
    if place is False or options.get("read_only"):
        return make(**options)
    store = SpillStore(
        make(**options, connect=False),
        _folder(place, driver, options),
        after=given.get("spill_after", AFTER),
        sync=given.get("spill_sync", False),
    )
    try:
        store.look()
    except BaseException:
        store.close()
        raise
    return store


def _folder(place: Any, driver: str, options: Mapping[str, Any]) -> Path:
    """Return the folder of one database, in that of all."""
    all_of_them = user_data_dir() / "spill" if place is True else Path(place)
    named = hide_passwords_in({key: options[key] for key in options if key not in _HOW})
    which = json.dumps(named, sort_keys=True, default=str).replace("?token=***", "")
    return all_of_them / f"{driver}-{hashlib.sha256(which.encode()).hexdigest()[:8]}"
