"""Questions about runs as objects: combine with ``&``, ``|`` and ``~``.

Hand one to a broker, ``db(Key('sample.name') == 'Ni', since='2024')``. They
print as the code that makes them, after ``from databroker.queries import *``.

Examples
--------
>>> from databroker.queries import *
>>> Status("fail") & ~Motor("eta")
(Key('stop.exit_status') == 'fail') & ~((Key('motor') == 'eta') | (Key('motors') == 'eta'))
>>> Key("stop.num_events.primary") > 10
Key('stop.num_events.primary') > 10
>>> Key("scan_id").isin([1, 2]) | DataKey("det") | UidPrefix("bb80")
Key('scan_id').isin([1, 2]) | DataKey('det') | UidPrefix('bb80')
"""

from .errors import InvalidQuery
from .query.classic import TextQuery, TimeRange
from .query.keys import Item, Key
from .query.nodes import And, DataKey, Everything, Node, Not, Or, TimeBounds, UidPrefix
from .query.shorthands import (
    Comparison,
    Contains,
    Detector,
    Eq,
    FullText,
    In,
    KeyLookup,
    KeyPresent,
    Like,
    Motor,
    MotorOrDetector,
    NotEq,
    NotIn,
    Operator,
    PartialUID,
    PlanName,
    RawMongo,
    Regex,
    ScanID,
    ScanIDRange,
    Status,
)

QueryValueError = InvalidQuery
"""The name that databroker 2 has for it."""

__all__ = [
    "And",
    "Comparison",
    "Contains",
    "DataKey",
    "Detector",
    "Eq",
    "Everything",
    "FullText",
    "In",
    "Item",
    "Key",
    "KeyLookup",
    "KeyPresent",
    "Like",
    "Motor",
    "MotorOrDetector",
    "Node",
    "Not",
    "NotEq",
    "NotIn",
    "Operator",
    "Or",
    "PartialUID",
    "PlanName",
    "QueryValueError",
    "RawMongo",
    "Regex",
    "ScanID",
    "ScanIDRange",
    "Status",
    "TextQuery",
    "TimeBounds",
    "TimeRange",
    "UidPrefix",
]
