"""How runs are read, as configurations say it: of each of several sources by its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..external.registry import Registry
from ..runs.session import Source, Transforms

if TYPE_CHECKING:
    from ..config import Configuration


def registry_of(
    configuration: Configuration, auto_register: bool, above: Registry | None = None
) -> Registry:
    """Return the registry that a configuration describes."""
    return Registry(
        configuration.handlers,
        configuration.root_map,
        auto_register and configuration.discover_handlers,
        configuration.allowed_roots,
        above,
    )


def sources_of(
    configuration: Configuration,
    auto_register: bool,
    registry: Registry,
    transforms: Transforms | None = None,
    path: str = "",
) -> dict[str, Source]:
    """Return the sources of a configuration that lists members; its own registry is above theirs.

    What the configuration changes is changed after what a member changes.
    """
    after = Transforms(configuration.transforms, transforms)
    found = {}
    for name, member in configuration.members.items():
        own = registry_of(member, auto_register, registry)
        found[name] = Source(
            own,
            Transforms(member.transforms, after),
            path + name,
            member.name,
            sources_of(member, auto_register, own, after, f"{path}{name}/"),
        )
    return found
