"""Where the keys of a question look: words that people use stand for more than one place.

What a list of runs shows can be asked for by its caption. Where a caption is
not the name of a key, it stands for the places from which the list draws. A run
that has a key of this very name is judged by that key.

>>> WORDS["exit_status"].any(lambda path: Equals(path, "fail"))
(Key('exit_status') == 'fail') | (Key('exit_status').exists(False) & (Key('stop.exit_status') == \
'fail'))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .nodes import And, Equals, Exists, Node, Or, Path, UidPrefix

__all__ = ["WORDS", "Target", "target_of", "written"]

_UID_SHOWN = 8
"""So many characters of a uid are shown in a list."""


@dataclass(frozen=True, slots=True)
class Target:
    """The places that a key stands for: a value at any of them is as good.

    The others count for runs that have nothing at the first of these.
    """

    paths: tuple[Path, ...]
    otherwise: tuple[Path, ...] = ()

    @property
    def is_one(self) -> bool:
        """Whether it is one place."""
        return len(self.paths) + len(self.otherwise) == 1

    def of(self, value: Any) -> Target:
        """Return the places where such a value may be: a list of runs shows no dictionary."""
        return Target(self.paths[:1]) if self.otherwise and isinstance(value, dict) else self

    def any(self, make: Callable[[Path], Node]) -> Node:
        """Ask a question of each place, and be content with one answer."""
        found = _either([make(path) for path in self.paths])
        if not self.otherwise:
            return found
        others = _either([make(path) for path in self.otherwise])
        return found | (Exists(self.paths[0], False) & others)

    def every(self, make: Callable[[Path], Node]) -> Node:
        """Ask a question of each place, all of which must answer."""
        nodes = [make(path) for path in (*self.paths, *self.otherwise)]
        return nodes[0] if len(nodes) == 1 else And(nodes)


def _target(*paths: str, otherwise: tuple[str, ...] = ()) -> Target:
    return Target(tuple(map(Path.parse, paths)), tuple(map(Path.parse, otherwise)))


WORDS: Mapping[str, Target] = {
    "motor": _target("motor", "motors"),
    "detector": _target("detector", "detectors"),
    "devices": _target("devices", otherwise=("motors", "detectors")),
    "plan": _target("plan", otherwise=("plan_name",)),
    "sample": _target("sample", "sample.name", otherwise=("sample_name",)),
    "started": _target("started", otherwise=("time",)),
    "exit_status": _target("exit_status", otherwise=("stop.exit_status",)),
    "status": Target((Path("status"),), (Path("status", "run"),)),
    "num_events": Target((Path("num_events"),), (Path("num_events", "run"),)),
}


def target_of(key: str) -> Target:
    """Return the places that a key stands for.

    Examples
    --------
    >>> target_of("motor").paths
    (Path(text='motor', document='start'), Path(text='motors', document='start'))
    """
    return WORDS.get(key) or Target((Path.parse(key),))


def written(key: str, value: Any) -> Node | None:
    """Return the question for a value written as a list shows it; None if it is no such text.

    Examples
    --------
    >>> written("uid", "bb805845"), written("uid", "bb8")
    (UidPrefix('bb805845'), None)
    """
    if not isinstance(value, str):
        return None
    if key == "uid" and len(value) == _UID_SHOWN:
        return UidPrefix(value)
    if key == "devices" and len(names := re.split(r",\s*|\s+vs\s+", value)) > 1:
        target = WORDS[key]
        own = target.paths[0]
        shown = And(_either([Equals(p, name) for p in target.otherwise]) for name in names)
        return Equals(own, value) | (Exists(own, False) & shown)
    return None


def _either(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Or(nodes)
