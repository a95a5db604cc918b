"""Keys that stand for more than one place, as people call things.

What a list of runs shows can be asked for by its caption. Where a caption is
not the name of a key, it stands for the places from which the list draws. A run
that has a key of this very name is judged by that key.

>>> ALIASES["exit_status"].any(lambda path: Equals(path, "fail"))
(Key('exit_status') == 'fail') | (Key('exit_status').exists(False) & (Key('stop.exit_status') == \
'fail'))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .nodes import And, Equals, Exists, Node, Or, Path, UidPrefix, all_of, any_of

_UID_SHOWN = 8  # characters of a uid, in a list of runs


@dataclass(frozen=True, slots=True)
class Target:
    """The places that a key stands for: a value at any of `paths` is as good.

    In runs that have nothing at the first of these, `fallbacks` are looked at, too.
    """

    paths: tuple[Path, ...]
    fallbacks: tuple[Path, ...] = ()

    @property
    def is_one(self) -> bool:
        """Whether it is one place."""
        return len(self.paths) + len(self.fallbacks) == 1

    def of(self, value: Any) -> Target:
        """Return the places where such a value may be: a list of runs shows no dictionary."""
        return Target(self.paths[:1]) if self.fallbacks and isinstance(value, dict) else self

    def any(self, make: Callable[[Path], Node]) -> Node:
        """Ask a question of each place, and be content with one answer."""
        node = any_of(map(make, self.paths))
        if not self.fallbacks:
            return node
        return node | (Exists(self.paths[0], False) & any_of(map(make, self.fallbacks)))

    def every(self, make: Callable[[Path], Node]) -> Node:
        """Ask a question of each place, all of which must answer."""
        return all_of(map(make, (*self.paths, *self.fallbacks)))


def _target(*paths: str, fallbacks: tuple[str, ...] = ()) -> Target:
    return Target(tuple(map(Path.parse, paths)), tuple(map(Path.parse, fallbacks)))


ALIASES: Mapping[str, Target] = {
    "motor": _target("motor", "motors"),
    "detector": _target("detector", "detectors"),
    "devices": _target("devices", fallbacks=("motors", "detectors")),
    "plan": _target("plan", fallbacks=("plan_name",)),
    "sample": _target("sample", "sample.name", fallbacks=("sample_name",)),
    "started": _target("started", fallbacks=("time",)),
    "exit_status": _target("exit_status", fallbacks=("stop.exit_status",)),
    "status": Target((Path("status"),), (Path("status", "run"),)),
    "num_events": Target((Path("num_events"),), (Path("num_events", "run"),)),
}


def target_of(key: str) -> Target:
    """Return the places that a key stands for."""
    return ALIASES.get(key) or Target((Path.parse(key),))


def own_or(key: str, value: Any, node: Node) -> Node:
    """Ask for this value in runs that have a key of this very name, and a node of the others."""
    own = Path(key)
    return Equals(own, value) | (Exists(own, False) & node)


def as_listed(key: str, value: Any) -> Node | None:
    """Return the question for a value written as a list shows it; None if it is no such text.

    Examples
    --------
    >>> as_listed("uid", "bb805845"), as_listed("uid", "bb8")
    (UidPrefix('bb805845'), None)
    """
    if not isinstance(value, str):
        return None
    if key == "uid" and len(value) == _UID_SHOWN:
        return UidPrefix(value)
    if key == "devices" and len(names := re.split(r",\s*|\s+vs\s+", value)) > 1:
        places = ALIASES[key].fallbacks
        return own_or(key, value, And(Or(Equals(p, name) for p in places) for name in names))
    return None
