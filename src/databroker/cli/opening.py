"""Which broker a command is about, and how it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..broker.broker import Broker


def open_broker(*names: str, tells_of_waiting: bool = False) -> Broker:
    """Open a configuration, or what is at a path, or several as one; else the default one.

    If a server is away, that documents would wait for it is told where that matters: whoever asks
    for something is told why there is no answer.
    """
    import warnings

    from ..errors import SpillWarning

    with warnings.catch_warnings():
        if not tells_of_waiting:
            warnings.simplefilter("ignore", SpillWarning)
        return _opened(names)


def _opened(names: Sequence[str]) -> Broker:
    import os

    from ..broker.broker import Broker
    from ..broker.naming import is_path
    from ..errors import UnknownBrokerName

    try:
        if any(map(is_path, names)):
            from ..broker.whatever import open_together

            return open_together(names, Broker.opened)
        return Broker.named(*names or [_default_name()])
    except UnknownBrokerName as error:
        for name in set(names).difference(known_names()):
            if os.path.exists(name):
                path = os.path.join(os.curdir, name)
                raise UnknownBrokerName(f"{error} If the path is meant, type {path}") from None
        raise


def known_names() -> list[str]:
    """Return the names of the configurations; `config list` says what is wrong with them."""
    import warnings

    from ..config import list_configs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return list_configs()


def _default_name() -> str:
    """Return the configuration that is meant where none is named."""
    from ..config import load
    from ..errors import UnknownBrokerName

    known = known_names()
    if len(known) == 1:
        return known[0]
    if "example" in known or not known:
        return "example" if known else str(load("example").name)
    raise UnknownBrokerName(f"Say by -b which configuration is meant: {', '.join(known)}.")
