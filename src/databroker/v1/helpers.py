"""Small helpers of databroker 1.x."""

from __future__ import annotations

import datetime
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ..config.search import catalog_folders, config_folders
from ..documents.readonly import ALL
from ..errors import NotSupported
from ..times import parse_bound, resolve_zone

if TYPE_CHECKING:
    from ..runs.run import Run


def get_fields(header: Run, name: str | None = None) -> set[str]:
    """Return the names of the data keys of a stream, or of all streams."""
    return header.fields(ALL if name is None else name)


def format_time(search_dict: dict[str, Any], tz: str | datetime.tzinfo | None) -> None:
    """Put a Mongo-style ``time`` in the place of ``since`` and ``until``; changes its argument.

    Examples
    --------
    >>> query = {"since": "2015", "until": 1500000000, "plan_name": "scan"}
    >>> format_time(query, "UTC")
    >>> query
    {'plan_name': 'scan', 'time': {'$gte': 1420070400.0, '$lte': 1500000000.0}}
    """
    zone = resolve_zone(tz)
    since, until = search_dict.pop("since", None), search_dict.pop("until", None)
    bounds = {}
    if since is not None:
        bounds["$gte"] = parse_bound(since, zone, "since")
    if until is not None:
        bounds["$lte"] = parse_bound(until, zone, "until")
    if bounds:
        search_dict["time"] = bounds


def normalize_human_friendly_time(val: Any, tz: str | datetime.tzinfo | None) -> float:
    """Return a time in seconds since 1970; see `databroker.times.parse_bound`.

    Examples
    --------
    >>> normalize_human_friendly_time("2015-03-05", "UTC")
    1425513600.0
    """
    return parse_bound(val, resolve_zone(tz), "since")


class LazyMap(Mapping[Any, Any]):
    """A mapping to functions, each called when its value is first asked for.

    Parameters
    ----------
    functions
        Functions without arguments, by key; or pairs of a key and a function.

    Examples
    --------
    >>> lazy = LazyMap({"a": lambda: print("called") or 5})
    >>> lazy["a"], lazy["a"]
    called
    (5, 5)
    """

    def __init__(self, functions: Any = (), /, **more: Callable[[], Any]) -> None:
        self._functions: dict[Any, Callable[[], Any]] = dict(functions, **more)
        self._values: dict[Any, Any] = {}
        self._lock = threading.RLock()

    def __getitem__(self, key: Any) -> Any:
        with self._lock:
            if key not in self._values:
                self._values[key] = self._functions[key]()
            return self._values[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __contains__(self, key: object) -> bool:
        return key in self._functions

    def add(self, functions: Any = (), /, **more: Callable[[], Any]) -> None:
        """Add functions under new keys.

        Raises
        ------
        TypeError
            One of the keys is there already.

        Examples
        --------
        >>> lazy = LazyMap()
        >>> lazy.add(a=int)
        >>> dict(lazy)
        {'a': 0}
        """
        new = dict(functions, **more)
        with self._lock:
            known = [key for key in new if key in self._functions]
            if known:
                raise TypeError(f"These keys are there already: {known}.")
            self._functions.update(new)

    def __getstate__(self) -> dict[str, Any]:
        return {"_functions": self._functions, "_values": self._values}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.RLock())


def ensure_path_exists(path: str | os.PathLike[str], exist_ok: bool = True) -> None:
    """Make a folder, and those above it.

    Examples
    --------
    >>> ensure_path_exists(".")
    """
    os.makedirs(path, exist_ok=exist_ok)


def transpose(
    in_data: Sequence[Mapping[str, Any]], keys: Iterable[str], field: str
) -> dict[str, list[Any]]:
    """Turn documents into columns.

    Examples
    --------
    >>> events = [{"data": {"a": 1}}, {"data": {"a": 2}}]
    >>> transpose(events, ["a"], "data")
    {'a': [1, 2]}
    """
    return {key: [document[field][key] for document in in_data] for key in keys}


def sanitize_np(val: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's numbers and lists.

    Examples
    --------
    >>> import numpy
    >>> sanitize_np(numpy.float64(1.5)), sanitize_np(numpy.arange(2)), sanitize_np("text")
    (1.5, [0, 1], 'text')
    """
    return val.tolist() if type(val).__module__ == "numpy" and hasattr(val, "tolist") else val


def apply_to_dict_recursively(d: MutableMapping[Any, Any], f: Callable[[Any], Any]) -> None:
    """Replace each value in a dictionary, at any depth, by what a function makes of it.

    Examples
    --------
    >>> document = {"a": 1, "inner": {"b": 2}}
    >>> apply_to_dict_recursively(document, str)
    >>> document
    {'a': '1', 'inner': {'b': '2'}}
    """
    for key, value in d.items():
        if isinstance(value, MutableMapping):
            apply_to_dict_recursively(value, f)
        else:
            d[key] = f(value)


def temp_config() -> NoReturn:
    """Raise: `databroker.temp` makes a temporary broker."""
    raise NotSupported("There is no temp_config; databroker.temp() makes a temporary broker.")


def catalog_search_path() -> tuple[str, ...]:
    """Return the folders in which databroker 1.x found catalogs; files there are still read.

    Examples
    --------
    >>> all(isinstance(folder, str) for folder in catalog_search_path())
    True
    """
    return tuple(map(str, catalog_folders()))


def special_name() -> str:
    """Return the name of the configuration of the broker that databroker 1.x made by itself."""
    return f"{'_test' if 'DATABROKER_TEST_MODE' in os.environ else ''}_legacy_config"


def from_environment(name: str) -> Any:
    """Return what `databroker.utils` has under a name, worked out when it is asked for."""
    if name == "CONFIG_SEARCH_PATH":
        return tuple(map(str, config_folders()))
    if name == "SPECIAL_NAME":
        return special_name()
    raise AttributeError(f"module 'databroker.utils' has no attribute {name!r}")
