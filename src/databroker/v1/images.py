"""Images of one field, loaded when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import NoSuchField
from .frames import Frames

if TYPE_CHECKING:
    import numpy as np

    from ..runs.stream.stream import Stream

    Array = np.ndarray[Any, Any]

__all__ = ["Images"]


class Images(Frames):
    """The images of one field in the order of their time; see `Frames`.

    An image that comes twice is shown once.

    Raises
    ------
    NoSuchField
        One of the streams does not have it.

    Examples
    --------
    >>> import numpy, databroker
    >>> db = databroker.temp()
    >>> key = {"dtype": "array", "shape": [2, 2], "source": "sim"}
    >>> db.insert("start", {"uid": "a", "time": 1.0})
    >>> db.insert("descriptor", {"uid": "d", "run_start": "a", "time": 1.0,
    ...                          "name": "primary", "data_keys": {"img": key}})
    >>> for n in range(3):
    ...     db.insert("event", {"uid": f"e{n}", "descriptor": "d", "time": 1.0 + n,
    ...                         "seq_num": n + 1, "data": {"img": numpy.full((2, 2), n)},
    ...                         "timestamps": {"img": 1.0}})
    >>> images = Images([db[-1].streams["primary"]], "img")
    >>> len(images), images.frame_shape, images[2].tolist(), len(images[1:])
    (3, (2, 2), [[2, 2], [2, 2]], 2)
    """

    def __init__(self, streams: Sequence[Stream], name: str) -> None:
        import numpy as np

        for stream in streams:
            if name not in stream.fields:
                raise NoSuchField(f"The stream {stream.name!r} has no field {name!r}.")
        times = [stream.table([], convert_times=False)["time"].to_numpy() for stream in streams]
        arrays = [stream[name] for stream in streams]
        places = [(n, row) for n, found in enumerate(times) for row in range(len(found))]

        def load(place: tuple[int, int]) -> Array:
            array, row = place
            return np.asarray(arrays[array][row])

        super().__init__(
            load,
            [places[place] for place in _in_order(np.concatenate([*times, []]))],
            tuple(arrays[0].shape[1:]) if arrays else (),
            arrays[0].dtype if arrays else None,
        )


def _in_order(times: Array) -> list[int]:
    """Return the places of times in their order, each time once; those without a time last."""
    import numpy as np

    _, first = np.unique(times[np.isfinite(times)], return_index=True)
    return [*np.flatnonzero(np.isfinite(times))[first], *np.flatnonzero(~np.isfinite(times))]
