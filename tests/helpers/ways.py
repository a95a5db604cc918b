"""All the ways in which a header gives a field, which must agree."""

import numpy as np


def _table(header, field, stream, **how):
    return list(header.table(stream, fields=[field], fill=True, **how)[field])


def _data(header, field, stream, **how):
    return list(header.data(field, stream, **how))


def _xarray(header, field, stream, **how):
    return header.xarray(stream, fields=[field], **how)[field].values


def _xarray_dask(header, field, stream, **how):
    return header.xarray_dask(stream, fields=[field], **how)[field].values


def _array(header, field, stream, **how):
    return header.streams[stream].array(field, **how)[:]


def _loop(header, field, stream, **how):
    return list(header.streams[stream].array(field, **how))


def _dask(header, field, stream, **how):
    return header.streams[stream].array(field, **how).to_dask().compute()


def _events(header, field, stream, **how):
    return [event["data"][field] for event in header.events(stream, [field], fill=True, **how)]


ARRAYS = (_xarray, _xarray_dask, _array, _dask)
WAYS = (_table, _data, _loop, *ARRAYS)


def check(header, field, expected, stream="primary", events=True):
    """Raise unless all ways give these values."""
    for way in [*WAYS, _events] if events else WAYS:
        found = np.asarray(way(header, field, stream))
        np.testing.assert_array_equal(found, expected, err_msg=way.__name__)
        assert found.dtype == np.asarray(expected).dtype, way.__name__
