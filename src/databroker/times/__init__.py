"""Time zones, the bounds of a search in time, and times shown to people.

Examples
--------
>>> zone = resolve_zone("America/New_York")
>>> format_time(parse_bound("2015-03-05 10:01:30.5", zone, "since"), zone)
'2015-03-05 10:01:30 EST'
"""

from .._util.clock import ago, format_time
from .bounds import ACCEPTED, parse_bound, parse_period
from .clocks import Edge
from .zones import resolve_zone

__all__ = ["ACCEPTED", "Edge", "ago", "format_time", "parse_bound", "parse_period", "resolve_zone"]
