"""What is written while a store is attacked."""

from __future__ import annotations

from random import Random

import numpy as np

from databroker.testing.conformance.base import (
    descriptor,
    event,
    event_page,
    start,
    stop,
    whole_run,
)

from .outcome import Offered


def small_runs(name: str = "a", count: int = 3) -> Offered:
    """Runs of all kinds of documents."""
    return [pair for number in range(count) for pair in whole_run(f"{name}{number}")]


def many_events(name: str = "a", events: int = 2100) -> Offered:
    """More events than stay in the tail, alone and in pages."""
    paged = descriptor(f"{name} paged", name) | {"name": "paged"}
    found = [("start", start(name)), ("descriptor", descriptor(f"{name} d", name))]
    found += [("descriptor", paged)]
    found += [("event", event(number, f"{name} d")) for number in range(events)]
    pages = [range(first, first + 50) for first in range(0, 600, 50)]
    found += [("event_page", event_page(page, f"{name} paged")) for page in pages]
    return [*found, ("stop", stop(name))]


def wide_events(name: str = "a", events: int = 60) -> Offered:
    """Events so large that the tail becomes a block every few of them."""
    image = np.arange(25_000.0)
    found = [("start", start(name)), ("descriptor", descriptor(f"{name} d", name))]
    found += [("event", event(number, f"{name} d", x=image + number)) for number in range(events)]
    return [*found, ("stop", stop(name))]


def any_scene(random: Random) -> Offered:
    """One of them."""
    return random.choice([small_runs, small_runs, many_events, wide_events])()
