"""Things that a configuration names and that are imported when they are used."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidConfiguration


def imported(target: Any, said_by: str) -> Any:
    """Return what 'module:name' or 'module.name' stands for; what is no text stays as it is."""
    if not isinstance(target, str):
        return target
    import pkgutil

    module, _, name = target.partition(":") if ":" in target else target.rpartition(".")
    try:
        return pkgutil.resolve_name(f"{module}:{name}")
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidConfiguration(
            f"{said_by}: {target!r} cannot be imported ({error})."
        ) from error
