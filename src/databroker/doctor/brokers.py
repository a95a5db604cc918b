"""One broker: its store, its external data, the disk it is on, and what waits for it."""

from __future__ import annotations

import glob
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from .._util.signals import not_from_signal
from ..broker.broker import Broker
from ..config import Configuration, load
from ..display.counting import runs_in_words
from ..display.summary import is_number, size, when
from ..errors import DatabrokerError
from ..external.handlers.offered import successor
from ..external.import_path import imported
from ..query.nodes import Everything
from .finding import Diagnosis

_LITTLE = 2**30  # bytes that are free
_SLOW = 1.0  # seconds
_AHEAD = 60.0  # seconds by which clocks may differ


def look_at_broker(name: str) -> Iterator[Diagnosis]:
    """Yield what there is to say of the broker of a name."""
    try:
        config = load(name)
    except DatabrokerError as error:
        yield Diagnosis("bad", name, str(error), "see 'databroker config where'")
        return
    for each in (config, *config.members.values()):
        yield from _root_map(each)
        yield from _disk(each)
        yield from _handlers(each)
    missing = [path for each in (config, *config.members.values()) for path in _missing(each)]
    if missing:
        # To open it would make it: whoever looks for the runs of a lost disk finds none then.
        mend = "nothing, if it is new; else see whether its disk is mounted"
        yield Diagnosis("note", "store", f"{', '.join(missing)} is not there", mend)
        return
    try:
        broker = Broker.opened(config)
    except DatabrokerError as error:
        yield Diagnosis("bad", "store", str(error), _mend(config))
        return
    with closing(broker):
        for look in (_store, _clock, _waiting):
            yield from _safely(look, broker)


def _safely(look: Callable[[Broker], Iterator[Diagnosis]], broker: Broker) -> Iterator[Diagnosis]:
    try:
        yield from look(broker)
    except DatabrokerError as error:
        yield Diagnosis("bad", "store", str(error), "see the message")


def _mend(config: Configuration) -> str:
    if "uri" in config.options:
        return "ask whether the server runs, and whether this machine may reach it"
    return "see whether the file or folder is there, and may be read"


def _store(broker: Broker) -> Iterator[Diagnosis]:
    begun = time.monotonic()
    broker.store.reach()
    runs = broker.view.count(Everything())
    took = time.monotonic() - begun
    takes = broker.store.size()
    much = "" if takes is None else f", {size(takes)}"
    yield Diagnosis("good", "store", f"{broker.store}: {runs_in_words(runs)}{much}")
    if took > _SLOW:
        yield Diagnosis("note", "speed", f"to count the runs took {took:.1f} s")


def _clock(broker: Broker) -> Iterator[Diagnosis]:
    newest = next(iter(broker().limit(1)), None)
    began = None if newest is None else newest.start.get("time")
    if newest is None or not is_number(began):
        return
    said = f"the newest run, {newest.uid[:8]}, began {when(began, broker.zone)}"
    if began > time.time() + _AHEAD:
        mend = "set the clock of this machine, or of that which measures"
        yield Diagnosis("bad", "clock", f"{said}, which is in the future", mend)
    else:
        yield Diagnosis("good", "clock", said)


def _waiting(broker: Broker) -> Iterator[Diagnosis]:
    waiting = broker.store.waiting()
    if waiting.documents:
        mend = "'databroker replay' sends them when the server is back"
        yield Diagnosis("note", "waiting", str(waiting), mend)
    for refused in waiting.refused:
        yield Diagnosis("bad", "refused", refused, f"it is kept in {', '.join(waiting.kept)}")


def _handlers(config: Configuration) -> Iterator[Diagnosis]:
    for spec, target in config.handlers.items():
        try:
            imported(successor(target), f"handlers: {spec}")
        except not_from_signal(Exception) as error:  # of somebody else's module
            mend = "install the package that has it, or mend 'handlers' in the configuration"
            yield Diagnosis("bad", f"handler {spec}", f"{type(error).__name__}: {error}", mend)


def _root_map(config: Configuration) -> Iterator[Diagnosis]:
    for old, new in config.root_map.items():
        if os.path.isdir(new):
            yield Diagnosis("good", "root map", f"{old} is now {new}")
        else:
            mend = "mount it, or mend 'root_map' in the configuration"
            yield Diagnosis("bad", "root map", f"{old} is now {new}, which is not there", mend)


def _disk(config: Configuration) -> Iterator[Diagnosis]:
    for path in _paths(config):
        folder = _folder_of(path)
        free = shutil.disk_usage(folder).free
        state = f"{size(free)} free at {folder}"
        if free < _LITTLE:
            yield Diagnosis("bad", "disk", state, "make room, or move the runs")
        else:
            yield Diagnosis("good", "disk", state)


def _paths(config: Configuration) -> list[str]:
    paths = [config.options.get("path"), *(config.options.get("paths") or ())]
    return [str(path) for path in paths if path]


def _missing(config: Configuration) -> list[str]:
    return [path for path in _paths(config) if not (glob.has_magic(path) or os.path.exists(path))]


def _folder_of(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path) or os.curdir
    return path
