"""Frames in files with numbered names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import FileDamaged
from ..locate import Guard
from ..references import Problem
from .base import Array, Declared, Form, FrameReader
from .images import read_picture

_PLACES = re.compile(r"(%%|%s|%[-+#0 ]*\d*(?:\.\d+)?[diuxX]|\{0?(?::[^{}]*)?\})")


def numbered_name(template: str, number: int, *names: str) -> str:
    """Return the name of a numbered file, by a template in the style of ``%`` or of `str.format`.

    The names take the place of each ``%s`` in turn; any other is empty, as area detectors put
    the folder there.
    """
    # Names are put in last: they may hold anything that looks like a place.
    parts = _PLACES.split(template)
    rest = iter(names)
    return "".join(
        _filled_in(part, number, rest) if odd % 2 else part for odd, part in enumerate(parts)
    )


def _filled_in(text: str, number: int, names: Iterator[str]) -> str:
    if text == "%%":
        return "%"
    if text == "%s":
        return next(names, "")
    return text % number if text.startswith("%") else text.format(number)


class FileSequence(FrameReader):
    """Reads a sequence of files, each with the same number of frames.

    Parameters are `template`, `filename`, `chunk_shape` (the first number is how many frames a
    file has), and `join_method`; for area detectors' own documents `with_folder` (the template
    takes the folder, too), `first_number` (of the files), and `varying` (each file may have
    another shape or type).
    """

    template = "{:d}"
    keeps = True

    def __init__(
        self, path: str, parameters: Mapping[str, Any], declared: Declared, guard: Guard
    ) -> None:
        self._prefix, self._names = path, [str(parameters.get("filename") or "")]
        if parameters.get("with_folder"):
            self._prefix, self._names = "", [os.path.join(path, ""), *self._names]
        self._guard = guard
        self._declared = declared.shape
        self._mimetype = str(parameters.get("mimetype"))
        self._first_number = int(parameters.get("first_number") or 0)
        template = parameters.get("template")
        self._template = self.template if template is None else str(template)
        self.join = str(parameters.get("join_method") or self.join)
        shape = parameters.get("chunk_shape") or (1,)
        self._in_file = 1 if self.join == "stack" else int(shape[0])
        self.apart = self._in_file == 1
        self.varying = bool(parameters.get("varying"))
        self._last: tuple[int, Array] | None = None

    # Only a file tells these three; what the files are called is known without any.
    @cached_property
    def frame_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The shape of one frame."""
        return tuple(self._sample.shape[1:])

    @cached_property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """The type of the elements."""
        return np.dtype(self._sample.dtype)

    @cached_property
    def chunks(self) -> tuple[int, ...] | None:  # type: ignore[override]
        """The shape of what is in a file."""
        return None if self.varying else tuple(self._sample.shape)

    @property
    def ndim(self) -> int:
        """How many dimensions a frame has; two, as most images have, where no file tells."""
        try:
            return len(self.frame_shape)
        except FileNotFoundError:
            return 2

    @cached_property
    def _sample(self) -> Array:
        there = (number for number in range(64) if os.path.exists(self._path(number)))
        return self.frames_in(next(there, 0))

    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        parts = [part[(slice(None), *inner)] for part in self._parts(first, stop, not inner)]
        if len(parts) > 1:
            return np.concatenate(parts)
        # What is kept, or is the file itself, is copied.
        kept = self._in_file > 1 or isinstance(parts[0], np.memmap)
        return np.array(parts[0]) if kept else parts[0]

    def read_into(self, first: int, stop: int, inner: tuple[slice, ...], out: Array) -> None:
        start = 0
        for part in self._parts(first, stop):
            out[start : start + len(part)] = part[(slice(None), *inner)]
            start += len(part)

    def form(self, number: int) -> Form | None:
        """Return shape and dtype of a frame: those of all others, or unknown."""
        return None if self.varying else (self.frame_shape, self.dtype)

    def count(self, first: int, stop: int) -> int:
        names = set()
        for folder in {os.path.dirname(self._path(n)) for n in self._numbers(first, stop)}:
            if os.path.isdir(folder or "."):
                names |= {os.path.join(folder, name) for name in os.listdir(folder or ".")}
        return sum(
            min(stop, (n + 1) * self._in_file) - max(first, n * self._in_file)
            for n in self._numbers(first, stop)
            if self._path(n) in names
        )

    def files(self, first: int, stop: int) -> list[str]:
        numbers = self._numbers(first, stop) if self._template else [0]
        return [self._path(number) for number in numbers]

    def load(self, path: str, whole: bool = True) -> Array:
        """Return the array in a file; one that is not read before it is used, if not `whole`."""
        raise NotImplementedError

    def frames_in(self, number: int, whole: bool = False) -> Array:
        """Return the frames in a file; the last file of several is kept."""
        last = self._last
        if last is not None and last[0] == number:
            return last[1]
        path = self._path(number)
        self._guard.check(path)
        frames = self._framed(self.load(path, whole), path)
        if self._in_file > 1:
            self._last = (number, frames)
        return frames

    def _parts(self, first: int, stop: int, whole: bool = False) -> Iterator[Array]:
        """Yield the wanted frames of each file; all of them agree with the first."""
        agreed = None if self.varying else (self.frame_shape, self.dtype)
        for number in self._numbers(first, stop):
            low = max(first - number * self._in_file, 0)
            high = min(stop - number * self._in_file, self._in_file)
            frames = self.frames_in(number, whole)
            shape, dtype = agreed = agreed or (frames.shape[1:], frames.dtype)
            if frames.shape[1:] != shape or not np.can_cast(frames.dtype, dtype):
                raise Problem(
                    FileDamaged,
                    f"{self._path(number)} has frames of shape {frames.shape[1:]} of "
                    f"{frames.dtype}, others have {shape} of {dtype}",
                )
            yield frames[low:high]

    def _numbers(self, first: int, stop: int) -> range:
        return range(first // self._in_file, -(-stop // self._in_file))

    def _path(self, number: int) -> str:
        return self._prefix + numbered_name(
            self._template, number + self._first_number, *self._names
        )

    def _framed(self, found: Array, path: str) -> Array:
        """Return what a file has with an axis for its frames, which files of one may lack."""
        declared = self._declared or ()
        if self._in_file == 1:
            has_axis = found.ndim == len(declared) and declared[:1] == found.shape[:1] == (1,)
            return found if has_axis and self.join != "stack" else found[np.newaxis]
        if found.shape[:1] != (self._in_file,):
            raise Problem(
                FileDamaged,
                f"{path} has the shape {found.shape}, and {self._in_file} frames are declared",
            )
        return found


class ImageSequence(FileSequence):
    """Reads multipart/related;type=image/tiff, image/x-cbf, ..., or image/* for any of them."""

    def load(self, path: str, whole: bool = True) -> Array:
        picture = self._mimetype.partition("type=")[2]
        return np.asarray(read_picture(path, picture, self._guard))
