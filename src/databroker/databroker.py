"""The import path of the first databrokers for the broker that they made by themselves."""

from .v1.broker import Broker as Broker
from .v1.header import Header as Header
from .v1.helpers import get_fields as get_fields
from .v1.own_broker import find

__getattr__ = find
