"""A broker: where runs are saved and found, and what is done with several of them."""

from ..header import Header
from .broker import Broker

__all__ = ["Broker", "Header"]
