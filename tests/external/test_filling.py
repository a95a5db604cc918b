"""References replaced by data: by datum, by event, by column; and what is said when they cannot."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import tifffile

from databroker.errors import (
    DatasetMissing,
    ExternalDataMissing,
    FileDamaged,
    FileForbidden,
    FileMissing,
    FileRefused,
    FramesMissing,
    HandlerFailed,
    NoHandler,
)
from databroker.external import Filler, Registry
from databroker.external.fields.filling import Filling
from databroker.stores.registry import open_store
from helpers.external import Run, frames


@pytest.fixture
def images(run, files):
    """Three simulated images, as ophyd.sim writes them."""
    data = frames(3, 4, 5)
    for number, image in enumerate(data):
        np.save(files / f"img_{number}.npy", image)
    run.descriptor()
    run.resource("NPY_SEQ", files, "img")
    run.events(run.datums([{"index": number} for number in range(3)]))
    return data


def fill(run, registry, event):
    return next(Filler(run.store, registry).events([event], ["img"]))


def test_a_datum_becomes_an_array(run, registry, images):
    filler = Filler(run.store, registry, run.uid)
    np.testing.assert_array_equal(filler.value("res/1", "img"), images[1])


def test_an_event_is_filled_in_a_copy(run, registry, images):
    event = {"uid": "e", "data": {"img": "res/0", "det": 1.0}, "filled": {"img": False}}
    filled = fill(run, registry, event)
    np.testing.assert_array_equal(filled["data"]["img"], images[0])
    assert filled["filled"] == {"img": "res/0"}
    assert event["data"]["img"] == "res/0"


@pytest.mark.parametrize("filled", [{}, None, {"img": False}, "absent"])
def test_what_no_event_says_is_filled_is_filled(run, registry, images, filled):
    event = {"data": {"img": "res/0"}, "filled": filled}
    if filled == "absent":
        del event["filled"]
    assert fill(run, registry, event)["data"]["img"].shape == (4, 5)


@pytest.mark.parametrize(
    ("value", "filled"), [("res/0", True), (np.zeros((4, 5)), "res/0"), (None, False)]
)
def test_what_is_filled_already_stays(run, registry, images, value, filled):
    event = {"data": {"img": value}, "filled": {"img": filled}}
    assert fill(run, registry, event)["data"]["img"] is value


def test_old_resources_do_not_say_their_run(store, registry, files):
    np.save(files / "a_0.npy", np.ones(2))
    run = Run(store)
    run.resource("NPY_SEQ", files, "a", uid="old", run_start=False)
    store.insert("datum", {"datum_id": "odd-id", "resource": "old", "datum_kwargs": {"index": 0}})
    assert Filler(store, registry).value("odd-id").tolist() == [1, 1]


def test_documents_may_come_late_and_in_any_order(store, registry, files):
    np.save(files / "a_0.npy", np.ones(2))
    run = Run(store)
    filler = Filler(store, registry)
    with pytest.raises(ExternalDataMissing, match="no datum document 'res/0'"):
        filler.value("res/0")
    run.datums([{"index": 0}])
    with pytest.raises(ExternalDataMissing, match="no resource document 'res'"):
        filler.value("res/0")
    run.resource("NPY_SEQ", files, "a")
    assert filler.value("res/0").tolist() == [1, 1]


def test_ids_that_do_not_count_as_stored_are_found(store, registry):
    class Number:
        def __init__(self, path): ...
        def __call__(self, n):
            return n

    registry.register_handler("N", Number)
    run = Run(store)
    run.resource("N", "/", "x")
    numbers = list(reversed(range(700)))
    page = {"resource": "res", "datum_kwargs": {"n": numbers}}
    store.insert("datum_page", {"datum_id": [f"res/{number}" for number in numbers], **page})
    filler = Filler(store, registry)
    found = [int(filler.value(f"res/{number}")) for number in (0, 699, 600, 601, 3)]
    assert found == [0, 699, 600, 601, 3]


@pytest.mark.parametrize(
    ("fill", "names"),
    [
        (True, ["img", "cam"]),
        (False, []),
        (None, []),
        ([], []),
        ("img", ["img"]),
        (["cam", "det"], ["cam"]),
        (iter({"img"}), ["img"]),
    ],
)
def test_fill_means_fields(fill, names):
    assert Filling.of(fill).fields(["img", "cam"]) == names


def test_whatever_a_handler_gives_becomes_an_array(store, registry):
    dask_array = pytest.importorskip("dask.array")
    given = {
        "list": [[1, 2], [3, 4]],
        "dask": dask_array.ones((2, 3), chunks=1),
        "ragged": [[1], [2, 3]],
        "number": 5.0,
        "text": "a path",
    }

    class Odd:
        def __init__(self, path): ...
        def __call__(self, what):
            return given[what]

    registry.register_handler("ODD", Odd)
    run = Run(store)
    run.resource("ODD", "/", "x")
    run.datums([{"what": what} for what in given])
    filler = Filler(store, registry)
    values = [filler.value(f"res/{number}") for number in range(5)]
    assert [type(value) for value in values] == [np.ndarray] * 5
    assert [value.shape for value in values] == [(2, 2), (2, 3), (2,), (), ()]


# -- what cannot be had ----------------------------------------------------


def told(caught, *parts):
    text = str(caught.value)
    for part in ("'run-1'", "'img'", "'res/0'", *parts):
        assert part in text, text
    assert isinstance(caught.value, ExternalDataMissing)
    assert isinstance(caught.value, OSError)


def test_a_missing_file_names_everything(run, registry, files):
    registry.root_map["/recorded"] = str(files)
    run.resource("NPY_SEQ", "/recorded", "img")
    run.datums([{"index": 0}])
    with pytest.raises(FileNotFoundError) as caught:
        Filler(run.store, registry, run.uid).value("res/0", "img")
    told(caught, str(files / "img_0.npy"), "/recorded/img", f"{{'/recorded': '{files}'}}")
    told(caught, "db.reg.root_map['/recorded'] =")
    error = caught.value
    assert isinstance(error, FileMissing)
    assert (error.run, error.field, error.datum) == ("run-1", "img", "res/0")
    assert error.root_map == ("/recorded", str(files))


def test_a_missing_folder_says_what_there_is_of_it(run, registry, files):
    run.resource("AD_HDF5", files / "2024" / "05", "a.h5")
    run.datums([{"point_number": 0}])
    with pytest.raises(FileMissing) as caught:
        Filler(run.store, registry, run.uid).value("res/0", "img")
    told(caught, f"only {files} exists")


def test_a_missing_handler_names_everything(run, registry):
    run.resource("newton", "/", "x")
    run.datums([{}])
    with pytest.raises(NoHandler, match=r"db\.reg\.register_handler") as caught:
        Filler(run.store, registry, run.uid).value("res/0", "img")
    for part in ("'newton'", "'run-1'", "'img'", "'res/0'"):
        assert part in str(caught.value)


def test_a_handler_registered_later_is_used_at_once(run, registry):
    class Newton:
        def __init__(self, path, radius): ...
        def __call__(self, gap):
            return np.full(2, gap)

    run.resource("newton", "/", "x", radius=1.0)
    run.datums([{"gap": 3}])
    filler = Filler(run.store, registry, run.uid)
    with pytest.raises(NoHandler):
        filler.value("res/0")
    registry.register_handler("newton", Newton)
    assert filler.value("res/0").tolist() == [3, 3]


@pytest.mark.parametrize("where", ["making", "calling"])
@pytest.mark.parametrize("error", [ValueError("odd"), TypeError("odd"), ZeroDivisionError("odd")])
def test_a_handler_that_raises(run, registry, where, error):
    class Broken:
        def __init__(self, path):
            if where == "making":
                raise error

        def __call__(self):
            raise error

    registry.register_handler("LAB", Broken)
    run.resource("LAB", "/", "x")
    run.datums([{}])
    with pytest.raises(HandlerFailed) as caught:
        Filler(run.store, registry, run.uid).value("res/0", "img")
    told(caught, "Broken", type(error).__name__, "odd")
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign"])
def test_a_damaged_hdf5_file(run, registry, files, damage):
    path = files / "a.h5"
    with h5py.File(path, "w") as file:
        file["/entry/data/data"] = frames(10, 64, 64)
    content = path.read_bytes()
    path.write_bytes(
        {"truncated": content[: len(content) // 2], "empty": b"", "foreign": b"no HDF5"}[damage]
    )
    run.resource("AD_HDF5", files, "a.h5")
    run.datums([{"point_number": 0}])
    with pytest.raises(FileDamaged) as caught:
        Filler(run.store, registry, run.uid).value("res/0", "img")
    told(caught, str(path))


def test_a_dataset_that_is_not_there(run, registry, files):
    with h5py.File(files / "a.h5", "w") as file:
        file["/entry/other"] = frames(1, 2, 2)
    run.resource("AD_HDF5", files, "a.h5")
    run.datums([{"point_number": 0}])
    with pytest.raises(DatasetMissing) as caught:
        Filler(run.store, registry, run.uid).value("res/0", "img")
    told(caught, "/entry/data/data", "/entry/other")
    assert isinstance(caught.value, KeyError)


def test_a_point_beyond_the_end_of_a_file(run, registry, files):
    with h5py.File(files / "a.h5", "w") as file:
        file["/entry/data/data"] = frames(2, 2, 2)
    run.resource("AD_HDF5", files, "a.h5")
    run.datums([{"point_number": 7}])
    with pytest.raises(FramesMissing, match="2 frames so far, and frame 7"):
        Filler(run.store, registry).value("res/0")


@pytest.fixture
def forbidden(files):
    """A run whose files nobody may read; its store can be."""
    run = Run(open_store("memory"))
    run.descriptor()
    with h5py.File(files / "a.h5", "w") as file:
        file["/entry/data/data"] = frames(2, 2, 2)
    np.save(files / "img_0.npy", np.zeros(2))
    for path in files.iterdir():
        path.chmod(0)
    run.resource("NPY_SEQ", files, "img")
    run.resource("AD_HDF5", files, "a.h5", uid="hdf5")
    run.datums([{"index": 0}])
    run.datums([{"point_number": 0}], "hdf5")
    return run


def test_files_that_may_not_be_read(registry, forbidden, nobody):
    filler = Filler(forbidden.store, registry, forbidden.uid)
    with pytest.raises(FileForbidden) as caught:
        filler.value("res/0", "img")
    told(caught)
    assert isinstance(caught.value, PermissionError)
    with pytest.raises(FileForbidden, match=r"a\.h5 may not be read"):
        filler.value("hdf5/0", "img")


def test_a_permission_error_of_a_handler_is_one(run, registry, files):
    class Locked:
        def __init__(self, path):
            raise PermissionError(13, "Permission denied", path)

    registry.register_handler("LAB", Locked)
    run.resource("LAB", files, "")
    run.datums([{}])
    with pytest.raises(FileForbidden, match="may not be read"):
        Filler(run.store, registry).value("res/0")


@pytest.mark.parametrize("spec", ["AD_TIFF", "IMAGE_SEQ"])
def test_templates_do_not_lead_out_of_the_allowed_roots(run, files, spec):
    if spec == "AD_TIFF":
        pytest.importorskip("area_detector_handlers")
    inside = files / "inside"
    inside.mkdir()
    tifffile.imwrite(files / "secret_0.tiff", frames(1, 2, 2)[0])
    run.resource(spec, inside, "", template="%s../%s_%d.tiff", filename="secret")
    run.datums([{"point_number": 0}])
    assert Filler(run.store, Registry()).value("res/0").shape == (1, 2, 2)
    with pytest.raises(FileRefused, match=r"secret_0\.tiff"):
        Filler(run.store, Registry(allowed_roots=[str(inside)])).value("res/0")


def test_links_in_a_file_do_not_lead_out_of_the_allowed_roots(run, files):
    inside = files / "inside"
    inside.mkdir()
    with h5py.File(files / "secret.h5", "w") as file:
        file["data"] = frames(1, 2, 2)
    with h5py.File(inside / "link.h5", "w") as file:
        file["/entry/data/data"] = h5py.ExternalLink("../secret.h5", "/data")
    layout = h5py.VirtualLayout((1, 2, 2), "u2")
    layout[:] = h5py.VirtualSource("../secret.h5", "data", (1, 2, 2))
    with h5py.File(inside / "virtual.h5", "w") as file:
        file.create_virtual_dataset("/entry/data/data", layout)
    for name in ("link", "virtual"):
        run.resource("AD_HDF5", inside, f"{name}.h5", uid=name)
        run.datums([{"point_number": 0}], name)
        assert Filler(run.store, Registry()).value(f"{name}/0").shape == (1, 2, 2)
        with pytest.raises(FileRefused, match="secret"):
            Filler(run.store, Registry(allowed_roots=[str(inside)])).value(f"{name}/0")


def test_pickles_are_not_loaded(run, registry, files):
    np.save(files / "img_0.npy", np.array([print], object), allow_pickle=True)
    run.resource("NPY_SEQ", files, "img")
    run.datums([{"index": 0}])
    with pytest.raises(HandlerFailed, match="allow_pickle"):
        Filler(run.store, registry).value("res/0")


@pytest.mark.parametrize("on_missing", ["mask", "skip"])
def test_missing_data_do_not_hold_the_rest_hostage(
    run, registry, images, files, on_missing, recwarn
):
    (files / "img_1.npy").unlink()
    filler = Filler(run.store, registry, run.uid, on_missing)
    ids = ["res/0", "res/1", "res/2"]
    with pytest.warns(UserWarning, match="said once a field"):
        values = list(filler.values(ids, "img"))
    column = filler.column(ids, "img")
    assert not recwarn.list
    events = [{"data": {"img": each, "det": 1.0}, "filled": {"img": False}} for each in ids]
    filled = list(filler.events(events, ["img"]))
    assert [event["data"]["det"] for event in filled] == [1.0, 1.0, 1.0]
    assert [event["filled"]["img"] for event in filled] == ["res/0", False, "res/2"]
    if on_missing == "mask":
        assert [value is None for value in values] == [False, True, False]
        assert column[1] is None
        assert filled[1]["data"]["img"] is None
    else:
        assert len(values) == 2
        assert column[1] == filled[1]["data"]["img"] == "res/1"


def test_an_unknown_way_to_deal_with_missing_data_is_refused(store, registry):
    with pytest.raises(ValueError, match="'raise', 'mask' or 'skip'"):
        Filler(store, registry, on_missing="ignore")


def test_reading_leaves_files_as_they_are(run, registry, files):
    path = files / "a.h5"
    with h5py.File(path, "w") as file:
        file["/entry/data/data"] = frames(2, 2, 2)
    os.utime(path, (1, 1))
    path.chmod(0o444)
    before = path.read_bytes(), path.stat().st_mtime, sorted(os.listdir(files))
    run.resource("AD_HDF5", files, "a.h5")
    run.datums([{"point_number": 0}])
    Filler(run.store, registry).value("res/0")
    assert (path.read_bytes(), path.stat().st_mtime, sorted(os.listdir(files))) == before


def test_no_lock_is_taken(run, registry, files):
    fcntl = pytest.importorskip("fcntl")
    path = files / "a.h5"
    with h5py.File(path, "w") as file:
        file["/entry/data/data"] = frames(2, 2, 2)
    run.resource("AD_HDF5", files, "a.h5")
    run.datums([{"point_number": 0}])
    Filler(run.store, registry).value("res/0")
    with open(path, "rb") as file:  # the handler has the file open still
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with h5py.File(path) as file:  # and the user may look into it, too
        assert list(file) == ["entry"]
    code = f"import h5py; h5py.File({str(path)!r}, 'a')['new'] = 1"
    subprocess.run([sys.executable, "-c", code], check=True)
