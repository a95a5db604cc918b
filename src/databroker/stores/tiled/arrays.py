"""Parts of arrays that stream resources of a catalog stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import numpy as np

from ...errors import StoreUnavailable
from .rows import read_block
from .server import Server
from .streams import Array


def read_array(
    server: Server, document: Mapping[str, Any], place: Sequence[slice]
) -> np.ndarray[Any, Any]:
    """Return a part of the array that a stream resource stands for."""
    uri, beginning = str(document.get("uri")), server.url("array/full").rstrip("/") + "/"
    if not uri.startswith(beginning):
        raise StoreUnavailable(f"{uri} is not in this catalog ({server.uri}).")
    path = tuple(unquote(part) for part in uri.removeprefix(beginning).split("/"))
    parameters = document["parameters"]
    array = Array(path, tuple(parameters["shape"]), np.dtype(parameters["dtype"]))
    return np.asarray(read_block(server, array, place))
