"""A broker: where runs are saved and found, and what is done with several of them."""

from ..runs import Header
from .broker import Broker

__all__ = ["Broker", "Header"]
