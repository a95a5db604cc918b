"""The import path of databroker 1.x: names handed on."""

from .broker import Broker, temp
from .header import Header
from .results import Results

__all__ = ["Broker", "Header", "Results", "temp"]
