"""Frames one after another, such as the images of a field, each loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

from ..errors import NoSuchField

if TYPE_CHECKING:
    import numpy as np

    from ..runs.stream.stream import Stream

    Array = np.ndarray[Any, Any]


class Frames(Sequence["Array"]):
    """Arrays of one shape, each loaded when it is asked for.

    A number gives an array; a slice, a list of numbers or a mask gives another such
    sequence; ``numpy.asarray`` loads them all.

    Each is what `load` makes of its place, one of `places`.

    Examples
    --------
    >>> import numpy
    >>> frames = Frames(lambda n: numpy.full((1, 2), n), range(4), (1, 2), numpy.dtype(int))
    >>> len(frames), frames[-1].tolist(), len(frames[1:]), numpy.asarray(frames[[0, 2]]).tolist()
    (4, [[3, 3]], 3, [[[0, 0]], [[2, 2]]])
    """

    def __init__(
        self,
        load: Callable[[Any], Array],
        places: Sequence[Any],
        frame_shape: tuple[int, ...],
        pixel_type: Any,
    ) -> None:
        self._load = load
        self._places = places
        self.frame_shape = frame_shape
        self.pixel_type = pixel_type

    @property
    def shape(self) -> tuple[int, ...]:
        """How many frames there are, and the shape of one."""
        return (len(self), *self.frame_shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the frames."""
        return self.pixel_type

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, key: int) -> Array: ...
    @overload
    def __getitem__(self, key: slice | Iterable[int]) -> Frames: ...
    def __getitem__(self, key: int | slice | Iterable[int]) -> Array | Frames:
        import numpy as np

        if isinstance(key, slice):
            some = self._places[key]
        elif np.ndim(key := np.asarray(key)):
            some = [self._places[n] for n in np.arange(len(self))[key]]
        else:
            return self._load(self._places[int(key)])
        return Frames(self._load, some, self.frame_shape, self.pixel_type)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        import numpy as np

        frames = list(self) or np.empty(self.shape, self.pixel_type)
        return np.asarray(frames, dtype)


class Images(Frames):
    """The images of one field in the order of their time, each once; see `Frames`."""

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
