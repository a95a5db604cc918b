"""The import path of the first databrokers for the broker that they made by themselves."""

from .v1.broker import Broker
from .v1.header import Header
from .v1.helpers import get_fields
from .v1.own_broker import names_of_own_broker

__all__ = ["Broker", "Header", "get_fields"]

__getattr__ = names_of_own_broker(__name__)
