"""Runs as their documents, exactly: JSON, JSON lines, MessagePack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..broker.export import all_documents
from ..documents.files.formats import Format as FileFormat
from ..documents.files.jsonl import JSONLines as Lines
from ..documents.files.packed import Packed
from .format import Choice, Format, Losses, Part

if TYPE_CHECKING:
    from ..runs.run import Run


class _Documents(Format):
    """All documents of a run in one file."""

    encoding: ClassVar[FileFormat]

    def parts(self, run: Run, choice: Choice) -> Iterator[Part]:
        """Return the one file of a run."""

        def write(path: Path) -> Losses:
            with path.open("wb") as file:
                file.writelines(self._framed(encoded(self.encoding, run, choice)))
            return ()

        yield Part(write)

    def _framed(self, documents: Iterator[bytes]) -> Iterator[bytes]:
        return documents


class JSONLines(_Documents):
    """All documents, a line each, as databroker's files of JSON lines have them."""

    suffix = ".jsonl"
    about = "all documents, exactly, one in each line; databroker reads it again"
    encoding = Lines()


class MessagePack(_Documents):
    """All documents in MessagePack, as databroker's files have them."""

    suffix = ".msgpack"
    about = "all documents, exactly, in MessagePack; databroker reads it again"
    encoding = Packed()


class JSON(_Documents):
    """All documents as one JSON array of [kind, document]."""

    suffix = ".json"
    about = "all documents, exactly, as one array; databroker reads it again"
    encoding = Lines()

    def _framed(self, documents: Iterator[bytes]) -> Iterator[bytes]:
        before = b"[\n"
        for line in documents:
            yield before + line.rstrip(b"\n")
            before = b",\n"
        yield b"\n]\n"


def encoded(encoding: FileFormat, run: Run, choice: Choice) -> Iterator[bytes]:
    """Yield the chosen documents of a run, each as files of a format have it."""
    for kind, document in _documents(run, choice):
        yield encoding.encode(kind, document)


def _documents(run: Run, choice: Choice) -> Iterator[tuple[str, dict[str, Any]]]:
    if choice == Choice():
        return all_documents(run)
    return _of_streams(run, choice)


def _of_streams(run: Run, choice: Choice) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the documents of a run, but for the descriptors and events of other streams."""
    streams = choice.streams_of(run)
    wanted = {descriptor["uid"] for stream in streams for descriptor in stream.descriptors}
    for kind, document in run.stored_documents(fields=choice.fields):
        owner = document["uid"] if kind == "descriptor" else document.get("descriptor")
        if owner is None or owner in wanted:
            yield kind, document
