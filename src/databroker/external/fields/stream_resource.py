"""Stream resources, whichever version of the event model they were written with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..handlers.specs import mimetype_of

__all__ = ["StreamSource", "stream_sources"]

Doc = Mapping[str, Any]


@dataclass(frozen=True)
class StreamSource:
    """A stream resource: what is in its files, and how they are to be read."""

    document: Doc  # as it is stored
    mimetype: str  # what is in its files
    parameters: Doc  # how they are to be read
    data_key: str  # the field; '' in old documents, which do not say

    @classmethod
    def of(cls, document: Doc) -> StreamSource:
        """Return what a stream resource says.

        Examples
        --------
        >>> source = StreamSource.of({"uid": "r", "spec": "AD_HDF5_SWMR_SLICE", "root": "/data",
        ...     "resource_path": "a.h5", "resource_kwargs": {"path": "/entry/data", "name": "img"}})
        >>> source.mimetype, source.data_key
        ('application/x-hdf5', 'img')
        """
        mimetype = mimetype_of(document)
        given = document.get("parameters") or document.get("resource_kwargs") or {}
        # 'text/csv;header=absent' says how to read, too.
        said = (part.partition("=") for part in mimetype.split(";")[1:])
        parameters = {**{key: value for key, _, value in said}, **given, "mimetype": mimetype}
        if document.get("spec") and mimetype == "application/x-hdf5":
            parameters.setdefault("dataset", parameters.get("path") or "/entry/data/data")
        data_key = document.get("data_key") or given.get("data_key") or given.get("name") or ""
        return cls(document, mimetype, parameters, str(data_key))


def stream_sources(documents: Iterable[tuple[str, Doc]], field: str) -> list[StreamSource]:
    """Return the stream resources of a field, in order, among the documents of a run."""
    sources = [StreamSource.of(doc) for kind, doc in documents if kind == "stream_resource"]
    named = [source for source in sources if source.data_key == field]
    return named or [source for source in sources if not source.data_key]
