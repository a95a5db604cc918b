"""How many values are read at once, and what is known of them."""

import numpy as np
import pytest

from databroker.errors import FileDamaged, FileRefused, InvalidConfiguration
from databroker.external import Registry
from databroker.external.fields.datum_field import Datums
from databroker.external.fields.grouping import Grouping, grouping_of_events
from databroker.external.fields.reader import (
    Look,
    apart,
    common,
    cut,
    leave_out,
    rows_ahead,
    spread,
    whole,
    with_nan,
)
from databroker.external.fields.resource_values import StreamSource
from databroker.external.guard import share_of
from databroker.external.handlers.adapter import as_array
from databroker.external.import_path import imported
from databroker.external.readers.base import Declared, declared_dtype
from databroker.external.references import DataReference, Place, explained, failure

IMG = DataReference("b2c1", "img")


def test_sizes_follow_what_is_stored_together():
    assert (whole(25, 10), whole(5, 10)) == (20, 10)
    assert (cut(25, 10), cut(0, 10)) == ((10, 10, 5), (0,))
    assert [rows_ahead(size) for size in (0, 2**21, 2**30)] == [512, 2, 1]


def test_some_stand_for_all():
    assert spread([3, 4, 5]) == [3, 4, 5]
    some = spread(range(10_000))
    assert (len(some), some[0], some[-1]) == (16, 0, 9999)


def test_numbers_have_the_smallest_type_that_holds_them_all():
    looks = [Look((2,), np.dtype("u2")), Look((2,), np.dtype("f4"))]
    assert common(looks).dtype == np.dtype("f4")
    assert common([]) is None
    assert [with_nan(np.dtype(each)) for each in ("u2", "f4")] == [np.dtype("f8"), np.dtype("f4")]


def test_what_is_not_there_is_nan_where_it_can_be():
    values = np.ones(2)
    leave_out(values)
    assert np.isnan(values).all()
    cells = np.array(["a"], object)
    leave_out(cells)
    assert cells.tolist() == [None]


def test_values_apart_are_copies():
    page = np.array([[1, 2], [3, 4]])
    first, _ = apart(page)
    assert first.tolist() == [1, 2]
    assert not np.shares_memory(first, page)
    assert apart(np.array(["a"], object)) == ["a"]


def test_what_a_handler_gave_is_an_array():
    assert as_array([1, 2]).tolist() == [1, 2]
    assert as_array([[1], [2, 3]]).dtype == object


def test_how_many_frames_an_event_has():
    assert grouping_of_events(Declared((1, 480, 640)), None, "concat", 2) == Grouping(1, True)
    assert grouping_of_events(Declared((480, 640)), 5, "concat", 2) == Grouping(5, True)
    assert grouping_of_events(Declared((480, 640)), None, "concat", 2) == Grouping(1, False)


def test_what_a_data_key_declares():
    assert declared_dtype({"dtype": "array", "dtype_numpy": "<u2"}) == np.dtype("<u2")
    assert declared_dtype({"dtype": "array"}) is None


def test_an_old_stream_resource_says_the_same_in_other_words():
    kwargs = {"path": "/entry/data", "name": "img"}
    document = {"uid": "r", "spec": "AD_HDF5_SWMR_SLICE", "root": "/data"}
    source = StreamSource.of({**document, "resource_path": "a.h5", "resource_kwargs": kwargs})
    assert (source.mimetype, source.data_key) == ("application/x-hdf5", "img")
    assert source.parameters["dataset"] == "/entry/data"


def test_a_datum_is_found_by_its_id(store):
    resource = {"uid": "r", "spec": "NPY_SEQ", "root": "/data", "resource_path": "img"}
    store.insert("resource", {**resource, "resource_kwargs": {}})
    store.insert("datum", {"datum_id": "r/0", "resource": "r", "datum_kwargs": {"index": 7}})
    assert Datums(store).find("r/0").kwargs == {"index": 7}


def test_an_error_says_everything_there_is_to_say():
    error = failure(FileDamaged, DataReference(field="img"), None, "it is empty", "Copy it again.")
    assert str(error) == "Field 'img': it is empty. Copy it again."
    assert (error.field, error.path) == ("img", None)


def test_an_error_learns_what_was_wanted():
    with pytest.raises(FileRefused) as caught, explained(IMG, Place("/a", "/a")):
        raise failure(FileRefused, DataReference(), None, "/a is outside of the allowed roots")
    said = "Field 'img' of run 'b2c1': /a is outside of the allowed roots."
    assert str(caught.value) == said


def test_shares_of_other_machines():
    assert share_of(r"\\Host\data\a.h5") == share_of("//host/data/a.h5") == "//host/data"
    assert share_of("C:/data/a.h5") == ""


@pytest.mark.parametrize("target", ["os.path:join", "os.path.join"])
def test_what_a_configuration_names_is_imported(target):
    assert imported(target, "handlers: X").__name__ == "join"


@pytest.mark.parametrize("target", ["no_such_lab:Handler", "no_such_lab", "os.path.nothing"])
def test_what_cannot_be_imported_is_told(target):
    with pytest.raises(InvalidConfiguration, match=r"handlers: X: .* cannot be imported"):
        imported(target, "handlers: X")


def test_handlers_are_registered_and_forgotten():
    class Handler: ...

    registry = Registry({"JSON": "json.JSONDecoder"}, discover=False)
    registry.register_handler("LAB", Handler)
    assert list(registry.handler_reg) == ["JSON", "LAB"]
    assert registry.handler_reg["JSON"].__name__ == "JSONDecoder"
    registry.deregister_handler("LAB")
    assert "LAB" not in registry.handler_reg
