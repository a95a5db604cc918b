"""Time zones: by name, and that of the machine."""

from __future__ import annotations

import datetime
import functools
import zoneinfo
from typing import Any

from .._util.printable import shown
from .._util.signals import not_from_signal, whole_module
from .._util.suggestions import did_you_mean
from .._util.user_warnings import warn_user
from ..errors import InvalidConfiguration


def resolve_zone(name: str | datetime.tzinfo | None = None) -> datetime.tzinfo:
    """Give the time zone of this name, or the machine's own."""
    if isinstance(name, datetime.tzinfo):
        return name
    if name is None:
        return _machine_zone()
    try:
        return zoneinfo.ZoneInfo(name)
    except not_from_signal(zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        hint = did_you_mean(name, zoneinfo.available_timezones())
        hint = hint or " Names look like 'America/New_York'."
        raise InvalidConfiguration(f"unknown time zone {shown(name)}.{hint}") from None


@functools.cache
def _tzlocal() -> Any:
    return whole_module("tzlocal")


def _machine_zone() -> datetime.tzinfo:
    tzlocal = _tzlocal()
    try:
        zone: datetime.tzinfo = tzlocal.get_localzone()
        return zone
    except not_from_signal(LookupError, ValueError, OSError) as error:
        # A machine whose zone is set up wrongly should still show its data.
        warn_user(
            f"the machine's time zone is not known ({error}); using UTC. "
            "Set `timezone:` in the configuration."
        )
        return datetime.UTC
