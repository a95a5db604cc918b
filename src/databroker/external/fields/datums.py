"""Datum documents, and the resources that they name, found by the ids in events."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from ...columns import ALL, to_rows
from ...documents.transform import Transform, unchanged
from ...stores.rows import batches_of
from ...stores.store_ref import StoreRef
from ..references import DataReference, no_document
from .filling import Doc

if TYPE_CHECKING:
    from ...stores.base import Store

_BLOCK = 512
_KEPT = 16 * _BLOCK
_RESOURCES = 256


class Datum(NamedTuple):
    """A datum: what to read, and the arguments to read it."""

    resource: Doc
    kwargs: Doc


class Datums:
    """Finds datum documents by their ids; those of neighbours are read together."""

    def __init__(self, store: Store, transform: Transform = unchanged) -> None:
        self.store_ref = StoreRef(store)
        self._transform = transform
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._datums: OrderedDict[str, Doc] = OrderedDict()
        self._resources: OrderedDict[str, Doc] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"store_ref": self.store_ref, "_transform": self._transform}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def find(self, datum_id: str, reference: DataReference | None = None) -> Datum:
        """Return what a datum's id stands for."""
        with self._lock:
            document = self._datums.get(datum_id) or self._look_up(datum_id)
            if document is None:
                raise no_document(f"datum document {datum_id!r}", _of(datum_id, reference))
            uid = document["resource"]
            resource = self._resources.get(uid)
            if resource is None:
                stored = self.store_ref.store.resource(uid)
                if stored is None:
                    raise no_document(f"resource document {uid!r}", _of(datum_id, reference))
                resource = self._transform("resource", stored)
                _keep(self._resources, {uid: resource}, _RESOURCES)
        return Datum(resource, document.get("datum_kwargs") or {})

    def stretches(
        self, datum_ids: Iterable[str], reference: DataReference | None = None
    ) -> Iterator[list[Datum]]:
        """Yield what datum ids stand for, those that follow each other in one resource together."""
        datums = (self.find(datum_id, reference) for datum_id in datum_ids)
        for _, same_resource in groupby(datums, lambda datum: datum.resource["uid"]):
            yield list(same_resource)

    def _look_up(self, datum_id: str) -> Doc | None:
        """Read a datum, and those behind it if its id, like most, is '<resource>/<number>'."""
        uid, _, number = datum_id.rpartition("/")
        if uid and number.isdecimal():
            block = self._block(uid, int(number))
            if datum_id in block:
                _keep(self._datums, block, _KEPT)
                return block[datum_id]
        document = self.store_ref.store.datum(datum_id)
        if document is not None:
            _keep(self._datums, {datum_id: document}, _KEPT)
        return document

    def _block(self, uid: str, first: int) -> dict[str, Doc]:
        batches = batches_of(self.store_ref.store, "datum", uid, ALL, first, first + _BLOCK)
        return {row["datum_id"]: row for batch in batches for row in to_rows("datum", uid, batch)}


def _of(datum_id: str, reference: DataReference | None) -> DataReference:
    return replace(reference or DataReference(), datum=datum_id)


def _keep(kept: OrderedDict[str, Doc], found: dict[str, Doc], most: int) -> None:
    kept.update(found)
    while len(kept) > most:
        kept.popitem(last=False)
