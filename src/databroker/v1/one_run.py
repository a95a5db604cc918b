"""A run from documents that are at hand, without a catalog to keep it in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import InvalidDocument
from ..v2.run import BlueskyRun
from .drivers import BlueskyInMemoryCatalog

__all__ = ["SingleRunCache", "run_from_generator"]

Doc = dict[str, Any]


class SingleRunCache:
    """Collects the documents of one run, and gives the run when it has ended.

    Parameters
    ----------
    **settings
        `handler_registry`, `root_map` and `transforms`, as in `DriverCatalog`.

    Examples
    --------
    Subscribe its `callback` to a RunEngine, or inside of a plan.

    >>> cache = SingleRunCache()
    >>> cache.callback("start", {"uid": "a", "time": 1.0})
    >>> cache.retrieve(), cache
    (None, <SingleRunCache in progress>)
    >>> cache.callback("stop", {"uid": "z", "run_start": "a", "time": 2.0})
    >>> cache.retrieve(), cache
    (<BlueskyRun uid='a'>, <SingleRunCache uid='a'>)
    """

    def __init__(self, **settings: Any) -> None:
        self._catalog = BlueskyInMemoryCatalog(**settings)
        self._ended: str | None = None

    def callback(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take a document.

        Raises
        ------
        InvalidDocument
            The run has ended; there is one only (a ValueError, as in databroker 1.x).
        """
        if self._ended is not None:
            raise InvalidDocument(
                f"The run {self._ended!r} has ended, and a SingleRunCache takes one run only."
            )
        self._catalog.v1.insert(name, doc)
        if name == "stop":
            self._ended = doc["run_start"]

    def retrieve(self) -> BlueskyRun | None:
        """Return the run; None while it has not ended."""
        if self._ended is None:
            return None
        run: BlueskyRun = self._catalog[self._ended]
        return run

    def __repr__(self) -> str:
        state = "in progress" if self._ended is None else f"uid={self._ended!r}"
        return f"<SingleRunCache {state}>"


def run_from_generator(
    gen_func: Callable[..., Iterable[tuple[str, Doc]]],
    gen_args: Iterable[Any] = (),
    gen_kwargs: Mapping[str, Any] | None = None,
    **settings: Any,
) -> BlueskyRun:
    """Return the run whose documents a function gives.

    Parameters
    ----------
    gen_func, gen_args, gen_kwargs
        The function, and its arguments.
    **settings
        As in `SingleRunCache`.

    Examples
    --------
    >>> run_from_generator(lambda: [("start", {"uid": "a", "time": 1.0})])
    <BlueskyRun uid='a'>
    """
    catalog = BlueskyInMemoryCatalog(**settings)
    for name, document in gen_func(*gen_args, **(gen_kwargs or {})):
        catalog.v1.insert(name, document)
    run: BlueskyRun = catalog[-1]
    return run
