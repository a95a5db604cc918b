"""Frames one after another, each loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["Frames"]


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
