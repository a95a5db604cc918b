"""The state of a narrowed store: it changes with the runs in it, and says nothing of others."""

from __future__ import annotations

import hashlib

from ...documents.encode import encode
from ...query.nodes import Everything, Exists, Path
from ..base import Store

_LOOKED_AT = 20
"""So many of the newest runs, and of those that go on."""


def fingerprint(store: Store, salt: str) -> str:
    """Return a value that is another one once there is more in a store.

    Parameters
    ----------
    store
        Of which the newest runs, and those that go on, are looked at.
    salt
        So that two stores with the same runs have different ones.
    """
    uid = Path("uid")
    newest = store.select(Everything(), [uid], _LOOKED_AT)
    going_on = store.select(~Exists(Path("uid", "stop")), [uid], _LOOKED_AT)
    found = store.outlines(dict.fromkeys(each for (each,) in [*newest, *going_on]))
    runs = [
        [each, run.stop and run.stop["uid"], [[*owner, rows] for owner, rows in run.rows.items()]]
        for each, run in found.items()
    ]
    whole = encode([salt, store.count(Everything()), runs])
    return hashlib.blake2b(whole, digest_size=16).hexdigest()
