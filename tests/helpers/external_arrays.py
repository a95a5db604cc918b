"""Fields of a run as arrays, without a header: what a stream makes of its documents."""

import numpy as np

from databroker.external import LazyArray
from databroker.external.fields.datum_field import DatumReader, Loader
from databroker.external.fields.streamed_field import StreamReader
from databroker.runs.stream.streamed import StreamedRows

from .external import IMAGE


def datum_array(store, registry, run, field, ids, data_key, on_missing="raise", warn=True):
    """A field of which each event has a datum."""
    reader = DatumReader(Loader(store, registry, run), field, ids)
    return LazyArray(field, reader, data_key, on_missing, warn)


def streamed_array(
    store, registry, run, descriptors, field, seq_nums=None, on_missing="raise", warn=True
):
    """A field whose values are in stream resources."""
    found = StreamedRows.of(store, run, descriptors).fields[field]
    if seq_nums is None:
        seq_nums = found.claims.seq_nums()
    places = found.claims.match(np.zeros(len(seq_nums), int), seq_nums)
    reader = StreamReader(registry, run, found, places, seq_nums)
    return LazyArray(field, reader, found.data_key, on_missing, warn)


def cam(run, registry, descriptor, **options):
    return streamed_array(run.store, registry, run.uid, [descriptor], "cam", **options)


def array_of(run, registry, ids, key=None, **options):
    key = {**IMAGE, "shape": [2, 6, 8]} if key is None else key
    return datum_array(run.store, registry, run.uid, "img", ids, key, **options)
