"""Brokers: where runs are saved and found, and what is done with several of them.

As an import path of databroker 1.x, it hands on `Broker` and `Header`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names

if TYPE_CHECKING:
    from ..v1.broker import Broker
    from ..v1.header import Header

__all__ = ["Broker", "Header"]

__getattr__ = lazy_names(__name__, {"Broker": "..v1.broker", "Header": "..v1.header"})
