"""The forms that a configuration may have.

Three are understood: databroker's own (``driver: ...``), the one of the first databrokers
(``metadatastore:`` and ``assets:``), and a source of a catalog (``sources: {name: {driver,
args}}``). The two old ones are turned into the first, which alone is checked and opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .._util.printable import shown
from ..errors import DatabrokerError, InvalidConfiguration
from . import catalogs, mds_assets
from .configuration import Configuration, from_flat
from .source_map import Section
from .templates import filled_in

Load = Callable[[str, tuple[str, ...]], Configuration]
"""Reads the configuration of a name, which those of some other names led to."""


def read_form(
    section: Section, name: str | None, load: Load, inside: tuple[str, ...] = ()
) -> Configuration:
    """Recognise the form of what a file holds, and make a configuration from it."""
    if catalogs.is_catalog(section):
        return read_form(catalogs.only_source(section), name, load, inside)
    if mds_assets.is_pair(section):
        return from_flat(mds_assets.translate(filled_in(section)), name, section)
    if catalogs.is_source(section):
        flat = filled_in(catalogs.translate(section))
        return from_flat(flat, name, section, discover_handlers="handlers" not in flat)
    flat = filled_in(section)
    if flat.get("driver") != "federation" or "members" not in flat:
        return from_flat(flat, name, section)
    members = _members(flat, load, (*inside, name) if name else inside)
    return from_flat(flat, name, section, members=members)


def _members(flat: Section, load: Load, inside: tuple[str, ...]) -> dict[str, Configuration]:
    """Read what a configuration lists: names of others, and mappings."""
    listed = flat["members"]
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise flat.error("'members' must be a list of names or mappings.", "members")
    members: dict[str, Configuration] = {}
    for number, entry in enumerate(listed):
        member = _member(flat, number, entry, load, inside)
        name = member.name or f"member {number + 1}"
        if name in members:
            raise flat.error(f"two members are called {name!r}.", "members")
        members[name] = member
    _check_writer(flat, members)
    return members


def _member(
    flat: Section, number: int, entry: object, load: Load, inside: tuple[str, ...]
) -> Configuration:
    if isinstance(entry, Mapping):
        section = flat.entry("members", number)
        name = section.get("name")
        rest = section.holding({key: section[key] for key in section if key != "name"})
        return read_form(rest, None if name is None else str(name), load, inside)
    if not isinstance(entry, str):
        raise flat.error(f"a member is a name or a mapping, not {shown(entry)}.", "members")
    if entry in inside:
        raise flat.error(f"{' -> '.join((*inside, entry))}: it would contain itself.", "members")
    try:
        return load(entry, inside)
    except DatabrokerError as error:
        raise flat.error(f"the member {entry!r} cannot be used. {error}", "members") from None


def _check_writer(flat: Section, members: Mapping[str, Configuration]) -> None:
    writer = flat.get("write_to")
    if writer is not None and writer not in members:
        raise flat.error(
            f"'write_to' is {shown(writer)}, and the members are {', '.join(map(repr, members))}.",
            "write_to",
        )


def together(
    members: Mapping[str, Configuration], write_to: str | None, skip_unavailable: bool
) -> Configuration:
    """Make one configuration of several.

    Raises
    ------
    InvalidConfiguration
        What is to be written to is none of them.
    """
    if write_to is not None and write_to not in members:
        known = ", ".join(map(repr, members))
        raise InvalidConfiguration(f"write_to is {shown(write_to)}, and there are {known}.")
    options = {"write_to": write_to, "skip_unavailable": skip_unavailable}
    options = {key: value for key, value in options.items() if value}
    original = {"driver": "federation", "members": list(members), **options}
    return Configuration(
        "federation",
        options,
        "+".join(members),
        timezone=common([member.timezone for member in members.values()]),
        stale_after=None,
        members=members,
        original=original,
    )


def common(values: Sequence[str | None]) -> str | None:
    """Return what all say alike, or None."""
    return values[0] if len(set(values)) == 1 else None
