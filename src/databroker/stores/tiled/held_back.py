"""Events that the adapter of databroker 2 holds back of a run that has not ended.

It hands out events in pages, and the last one only when something else follows. But its arrays
have a row for each seq_num, so what is missing is read from these: without uids, and with values
of the types that the descriptor declares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from .rows import read_block
from .server import Server
from .streams import Array, Stream, parts_of

Doc = dict[str, Any]


def events_held_back(server: Server, stream: Stream, known: Collection[int]) -> Iterator[Doc]:
    """Yield the events of a stream, but for those with some seq_nums; of its last descriptor."""
    descriptor = stream.descriptors()[-1]
    arrays = parts_of(server, stream.data_path).arrays
    numbers = [n for n in range(1, arrays["time"].shape[0] + 1) if n not in known]
    if not numbers:
        return
    place = slice(numbers[0] - 1, numbers[-1])
    stamps = parts_of(server, (*stream.path, "timestamps")).arrays
    inside = [name for name, key in descriptor["data_keys"].items() if not key.get("external")]
    data, timestamps = (
        {name: _values(server, of[name], place) for name in inside} for of in (arrays, stamps)
    )
    times = _values(server, arrays["time"], place)
    for number in numbers:
        row = number - numbers[0]
        yield {
            "uid": f"event-{descriptor['uid']}-{number}",
            "descriptor": descriptor["uid"],
            "seq_num": number,
            "time": times[row],
            "data": {name: values[row] for name, values in data.items()},
            "timestamps": {name: values[row] for name, values in timestamps.items()},
            "filled": {},
        }


def _values(server: Server, array: Array, place: slice) -> list[Any]:
    return list(np.asarray(read_block(server, array, [place])).tolist())
