"""Fields of a run as arrays, without a header: what a stream makes of its documents."""

import numpy as np

from databroker.external import LazyArray
from databroker.external.fields.datum_field import DatumReader
from databroker.runs.stream.streamed import Streamed


def datum_array(source, registry, run, field, ids, data_key, on_missing="raise", warn=True):
    """A field of which each event has a datum."""
    reader = DatumReader(source, registry, run, field, ids)
    return LazyArray(field, reader, data_key, on_missing, warn)


def streamed_array(
    source, registry, run, descriptors, field, seq_nums=None, on_missing="raise", warn=True
):
    """A field whose values are in stream resources."""
    found = Streamed.of(source.store, run, descriptors).fields[field]
    if seq_nums is None:
        seq_nums = found.claims.seq_nums()
    places = found.claims.match(np.zeros(len(seq_nums), int), seq_nums)
    reader = found.reader(registry, run, places, seq_nums)
    return LazyArray(field, reader, found.data_key, on_missing, warn)
