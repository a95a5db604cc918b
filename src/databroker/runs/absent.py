"""What is said where a run has no stream or device of a name, and so there is nothing to give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._util.suggestions import did_you_mean
from .._util.user_warnings import warn_user
from ..errors import NoSuchField, NothingFoundWarning
from .stream.fields import mapping

if TYPE_CHECKING:
    from .stream.stream import Stream

_SHOWN = 12


def warn_if_absent(run: str, kind: str, name: object, known: Iterable[str]) -> None:
    """Warn if a name is none of those that a run has; say nothing of a run that has none at all."""
    names = list(dict.fromkeys(known))
    if not isinstance(name, str) or name in names or not names:
        return
    shown = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")
    warn_user(
        f"Run {run[:8]!r} has no {kind} {name!r}.{did_you_mean(name, names)} It has: {shown}.",
        NothingFoundWarning,
    )


def has_field(run: str, stream: Stream, field: str) -> bool:
    """Tell whether `field` means something in a stream; warn if it does not."""
    try:
        stream.select([field])
    except NoSuchField:
        warn_if_absent(run, "field", field, stream.fields)
        return False
    return True


def device_names(descriptor: Mapping[str, Any]) -> set[str]:
    """Return the devices that a descriptor names."""
    return {*mapping(descriptor.get("configuration")), *mapping(descriptor.get("object_keys"))}
