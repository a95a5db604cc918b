"""Frames in files of detectors that the package fabio reads: CBF, EDF, MarCCD, SPE."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from ..fields.chunking import LARGEST
from ..locate import Guard
from .base import Array, Declared, FileReader
from .fabio_files import count_frames, fabio_files, opened_image, read_fabio, read_frames
from .numbered_files import FileSequence

__all__ = ["FabioReader", "FabioSequence"]


class FabioReader(FileReader):
    """Reads image/x-cbf, image/x-edf, image/x-marccd and image/x-spe: a file of some frames.

    All frames of a file have the shape and the type of the first. An EDF file may have them in
    another one beside it, which is opened if the guard allows it.
    """

    ending: str
    thread_safe = False

    def __init__(
        self, path: str, parameters: Mapping[str, Any], declared: Declared, guard: Guard
    ) -> None:
        super().__init__(path)
        self._guard = guard
        self._opened = ExitStack()
        try:
            self._open()
            first = self.read(0, 1, ())
        except BaseException:
            self.close()
            raise
        self.frame_shape, self.dtype = first.shape[1:], first.dtype

    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        self.need(stop)
        if self._kept > LARGEST:
            self._open()
        frames = read_frames(self._image, self.path, self.ending, range(first, stop))
        self._kept += frames.nbytes
        return frames[(slice(None), *inner)]

    def length(self, wanted: int = 0) -> int:
        if self._frames < wanted and os.stat(self.path).st_mtime_ns != self._seen:
            self._open()
        return self._frames

    def files(self, first: int, stop: int) -> list[str]:
        """Return the file, and that in which its frames are."""
        return list(self._files)

    def close(self) -> None:
        self._opened.close()

    def _open(self) -> None:
        self.close()
        self._guard.check(self.path)
        self._seen = os.stat(self.path).st_mtime_ns
        self._kept = 0  # bytes: fabio keeps all frames that it has read
        self._image = self._opened.enter_context(opened_image(self.path, self.ending))
        self._frames = count_frames(self._image, self.ending)
        self._files = fabio_files(self._image, self.path)
        for path in self._files:
            self._guard.check(path)


class CbfReader(FabioReader):
    """Reads image/x-cbf: the Crystallographic Binary File of Pilatus detectors, say."""

    ending = ".cbf"


class EdfReader(FabioReader):
    """Reads image/x-edf: the ESRF Data Format."""

    ending = ".edf"


class MarReader(FabioReader):
    """Reads image/x-marccd: files of MarCCD and MarMosaic detectors."""

    ending = ".mccd"


class SpeReader(FabioReader):
    """Reads image/x-spe: files of Princeton Instruments' WinView and LightField."""

    ending = ".spe"


class FabioSequence(FileSequence):
    """Reads a sequence of such files, each with one frame, or as many as `chunk_shape` says."""

    ending: str

    def load(self, path: str, whole: bool = True) -> Array:
        frames = read_fabio(path, self.ending, self._guard)
        return frames[0] if len(frames) == 1 and self._in_file == 1 else frames


class CbfSequence(FabioSequence):
    """Reads multipart/related;type=image/x-cbf."""

    ending = ".cbf"


class EdfSequence(FabioSequence):
    """Reads multipart/related;type=image/x-edf."""

    ending = ".edf"


class MarSequence(FabioSequence):
    """Reads multipart/related;type=image/x-marccd."""

    ending = ".mccd"


class SpeSequence(FabioSequence):
    """Reads multipart/related;type=image/x-spe."""

    ending = ".spe"
