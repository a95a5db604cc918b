"""Time zones, the bounds of a search in time, and times shown to people.

Examples
--------
>>> from databroker.times import format_time, parse_bound, resolve_zone
>>> zone = resolve_zone("America/New_York")
>>> format_time(parse_bound("2015-03-05 10:01:30.5", zone, "since"), zone)
'2015-03-05 10:01:30 EST'
"""

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names

if TYPE_CHECKING:
    from .bounds import ACCEPTED, parse_bound, parse_period
    from .clock import ago, clock_time, format_time, zone_names
    from .instants import Edge
    from .zones import resolve_zone

__all__ = [
    "ACCEPTED",
    "Edge",
    "ago",
    "clock_time",
    "format_time",
    "parse_bound",
    "parse_period",
    "resolve_zone",
    "zone_names",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("ACCEPTED", "parse_bound", "parse_period"), ".bounds"),
        **dict.fromkeys(("ago", "clock_time", "format_time", "zone_names"), ".clock"),
        "Edge": ".instants",
        "resolve_zone": ".zones",
    },
)
