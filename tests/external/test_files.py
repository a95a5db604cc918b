"""The files of a run, listed: which there are, and whether they are there."""

import os

import h5py
import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from databroker.external import ExternalFile, Registry, external_files
from databroker.external.files.listing import files_below
from databroker.external.locate import uri_of_path
from databroker.external.readers.hdf5_files import linked_files
from databroker.runs.files import Files
from helpers.external import FRAME, HDF5, IMAGE, frames, key

TIFF = "multipart/related;type=image/tiff"


def test_the_files_of_a_run_are_listed(run, registry, files, everything):
    (files / "a b" / "img_1.npy").unlink()
    (files / "tiffs" / "2.tif").unlink()
    found = list(external_files(run.store, registry, run.uid))
    assert [(os.path.relpath(each.path, files), each.exists) for each in found] == [
        ("a b/img_0.npy", True),
        ("a b/img_1.npy", False),
        ("a b/img_2.npy", True),
        ("cam.h5", True),
        ("tiffs/0.tif", True),
        ("tiffs/1.tif", True),
        ("tiffs/2.tif", False),
    ]
    assert found[0].size == (files / "a b" / "img_0.npy").stat().st_size
    assert found[1].size is None
    assert [found[place].fields for place in (0, 3, 4)] == [("img",), ("cam",), ("tif",)]
    assert [found[place].spec for place in (0, 3)] == ["NPY_SEQ", HDF5]
    assert found[0].recorded == str(files / "a b" / "img")
    assert {each.problem for each in found} == {None}


def test_what_cannot_be_listed_says_why(run, files):
    run.descriptor()
    run.resource("newton", files, "x", uid="unknown")
    run.resource("AD_HDF5", files, "gone.h5", uid="gone")
    run.resource("NPY_SEQ", "/etc", "passwd", uid="foreign")
    run.stream("application/octet-stream", "file://localhost/odd", "odd")
    registry = Registry(allowed_roots=[str(files), "/odd"])
    found = {each.resource: each for each in external_files(run.store, registry, run.uid)}
    assert "newton" in found["unknown"].problem
    assert "gone.h5" in found["gone"].problem
    assert "allowed_roots" in found["foreign"].problem
    assert found["odd"].path == "/odd"
    assert not any(each.exists for each in found.values())


def test_ids_that_say_nothing_of_their_resource(run, registry, files):
    np.save(files / "img_0.npy", np.zeros(2))
    run.descriptor()
    run.resource("NPY_SEQ", files, "img")
    datum = {"datum_id": "some-uuid", "resource": "res", "datum_kwargs": {"index": 0}}
    run.store.insert("datum", datum)
    run.events(["some-uuid"])
    (found,) = external_files(run.store, registry, run.uid)
    assert (found.path, found.fields) == (str(files / "img_0.npy"), ("img",))


def test_an_id_that_begins_with_another_resource_belongs_to_its_own(run, registry, files):
    run.descriptor()
    for uid in ("a", "a/b"):
        np.save(files / f"{uid[-1]}_0.npy", np.zeros(2))
        run.resource("NPY_SEQ", files, uid[-1], uid=uid)
    run.store.insert("datum", {"datum_id": "a/b/7", "resource": "a", "datum_kwargs": {"index": 0}})
    run.events(["a/b/7"])
    found = {each.resource: each.fields for each in external_files(run.store, registry, run.uid)}
    assert found["a"] == ("img",)
    assert found.get("a/b", ()) == ()


def test_a_moved_sequence_is_listed_file_by_file(run, registry, files, everything):
    """What the files are called is known without any of them."""
    files.rename(files.parent / "gone")
    found = list(external_files(run.store, registry, run.uid))
    assert [os.path.relpath(each.path, files) for each in found] == [
        *(f"a b/img_{number}.npy" for number in range(3)),
        "cam.h5",
        *(f"tiffs/{number}.tif" for number in range(3)),
    ]
    assert not any(each.exists for each in found)


@pytest.mark.parametrize("shape", [(5, 4, 6), (1, 4, 6), (4, 6)])
def test_how_many_files_an_event_has_is_known_without_them(run, registry, files, shape):
    run.descriptor(cam=key(*shape))
    run.stream(TIFF, uri_of_path(str(files)) + "/", template="{:d}.tif")
    run.stream_datum(0, 2)
    before = [each.path for each in external_files(run.store, registry, run.uid)]
    assert len(before) == 2 * (shape[0] if len(shape) == 3 else 1)
    for path in before:
        tifffile.imwrite(path, frames(1, 4, 6)[0])
    assert [each.path for each in external_files(run.store, registry, run.uid)] == before


def test_colour_images_have_one_dimension_more(run, registry, files):
    run.descriptor(cam=key(1, 8, 8, 3, numpy="|u1"))
    run.stream("multipart/related;type=image/png", uri_of_path(str(files)) + "/", template="{}.png")
    run.stream_datum(0, 2)
    assert len(list(external_files(run.store, registry, run.uid))) == 2
    imageio.imwrite(files / "0.png", np.zeros((8, 8, 3), "u1"))
    assert [each.exists for each in external_files(run.store, registry, run.uid)] == [True, False]


def test_before_its_first_datum_a_sequence_has_no_files(run, registry, files):
    run.descriptor(cam=FRAME)
    run.resource("NPY_SEQ", files, "img")
    run.stream(TIFF, uri_of_path(str(files)) + "/", template="{:d}.tif")
    run.stream(HDF5, uri_of_path(str(files / "a.h5")), "h5", dataset="/data")
    (files / "of another run").write_text("x")
    (found,) = external_files(run.store, registry, run.uid)
    assert (found.path, found.exists) == (str(files / "a.h5"), False)
    with h5py.File(files / "a.h5", "w") as file:
        file["/data"] = frames(1, 4, 6)
    (found,) = external_files(run.store, registry, run.uid)
    assert (found.exists, found.problem) == (True, None)


def test_a_file_of_several_resources_is_one_file(run, registry, files):
    with h5py.File(files / "a.h5", "w") as file:
        file["/x"] = frames(1, 4, 6)
    run.descriptor(x=FRAME, y=FRAME)
    for name in "xy":
        run.stream(HDF5, uri_of_path(str(files / "a.h5")), name, name, dataset=f"/{name}")
        run.stream_datum(0, 1, name)
    (found,) = external_files(run.store, registry, run.uid)
    assert found.fields == ("x", "y")
    assert (found.resource, found.exists) == ("x", True)
    assert "no dataset '/y'" in found.problem


def test_resources_of_old_times_do_not_name_their_run(run, registry, files):
    np.save(files / "img_0.npy", np.zeros(2))
    run.descriptor()
    run.resource("NPY_SEQ", files, "img", run_start=False)
    run.events(run.datums([{"index": 0}]))
    (found,) = external_files(run.store, registry, run.uid)
    assert (found.path, found.fields) == (str(files / "img_0.npy"), ("img",))
    assert found.run == run.uid


def test_documents_may_be_transformed_on_the_way(run, registry, files):
    np.save(files / "img_0.npy", np.zeros(2))
    for name, named in (("own", True), ("old", False)):
        run.resource("NPY_SEQ", "/wrong", "img", uid=name, run_start=named)
    run.descriptor(img=IMAGE, old=IMAGE)
    run.events([*run.datums([{"index": 0}], "own"), *run.datums([{"index": 0}], "old")])

    def transform(kind, doc):
        return {**doc, "root": str(files)} if kind == "resource" else doc

    (found,) = external_files(run.store, registry, run.uid, transform)
    assert found.exists


@pytest.mark.parametrize(
    "odd",
    [
        ("resource", {"uid": "r", "spec": "npy"}),
        ("resource", {"uid": "r", "spec": "npy", "root": 5, "resource_path": ["a"]}),
        ("resource", {"uid": "r", "root": "", "resource_path": "a", "resource_kwargs": [1]}),
        ("stream_resource", {"uid": "r"}),
        ("stream_resource", {"uid": "r", "uri": 5, "mimetype": HDF5, "parameters": {}}),
        ("stream_resource", {"uid": "r", "uri": "/a", "mimetype": HDF5, "parameters": [1]}),
    ],
)
def test_odd_documents_are_told_and_the_list_goes_on(run, registry, files, odd):
    kind, doc = odd
    run.store.insert(kind, {**doc, "run_start": run.uid})
    np.save(files / "a.npy", np.zeros(2))
    run.resource("npy", files, "a.npy")
    found = {each.resource: each for each in external_files(run.store, registry, run.uid)}
    assert found["r"].problem
    assert not found["r"].exists
    assert found["res"].exists


def test_a_handler_may_fail_and_the_list_goes_on(run, registry, files):
    class Failing:
        def __init__(self, path): ...
        def get_file_list(self, datum_kwargs):
            raise ZeroDivisionError("of somebody else")

    registry.register_handler("FAILING", Failing)
    run.resource("FAILING", files, "a")
    (found,) = external_files(run.store, registry, run.uid)
    assert "ZeroDivisionError" in found.problem


def test_files_that_hdf5_files_link_to_are_listed(run, registry, files):
    (files / "raw").mkdir()
    for number in range(2):
        with h5py.File(files / "raw" / f"{number}.h5", "w") as file:
            file["data"] = frames(2, 4, 6)
    with h5py.File(files / "linked.h5", "w") as file:
        file["/entry/data"] = h5py.ExternalLink("raw/0.h5", "/data")
        file["/entry/soft"] = h5py.SoftLink("/entry/data")
    layout = h5py.VirtualLayout((4, 4, 6), "u2")
    for number in range(2):
        source = h5py.VirtualSource(f"raw/{number}.h5", "data", (2, 4, 6))
        layout[2 * number : 2 * number + 2] = source
    with h5py.File(files / "virtual.h5", "w") as file:
        file.create_virtual_dataset("/entry/data", layout)
    with h5py.File(files / "moved.h5", "w") as file:  # the library looks beside it, too
        file["/entry/data"] = h5py.ExternalLink("/gone/linked.h5", "/entry/data")
    keys = dict.fromkeys(("linked", "soft", "virtual", "moved"), FRAME)
    run.descriptor(**keys)
    for name in keys:
        path = files / ("linked.h5" if name == "soft" else f"{name}.h5")
        dataset = "/entry/soft" if name == "soft" else "/entry/data"
        run.stream(HDF5, uri_of_path(str(path)), name, name, dataset=dataset)
        run.stream_datum(0, 2, name)
    fields = {}
    for each in external_files(run.store, registry, run.uid):
        assert each.exists, each
        fields[os.path.relpath(each.path, files)] = set(each.fields)
    assert fields["raw/0.h5"] == set(keys)
    assert fields["raw/1.h5"] == {"virtual"}
    assert fields["linked.h5"] == {"linked", "soft", "moved"}


def test_files_that_hdf5_files_of_datums_link_to_are_listed(run, registry, files):
    with h5py.File(files / "raw.h5", "w") as file:
        file["data"] = frames(2, 4, 6)
    with h5py.File(files / "a.h5", "w") as file:
        file["/entry/data/data"] = h5py.ExternalLink("raw.h5", "/data")
    run.resource("AD_HDF5", files, "a.h5")
    found = [os.path.basename(each.path) for each in external_files(run.store, registry, run.uid)]
    assert found == ["a.h5", "raw.h5"]


def test_a_virtual_dataset_may_have_sources_without_an_end(files):
    for number in range(3):
        with h5py.File(files / f"raw_{number}.h5", "w") as file:
            file["data"] = frames(1, 2, 2)
    # h5py has no other way to say that a file for each row may follow.
    endless = h5py.h5s.create_simple((3, 2, 2), (h5py.h5s.UNLIMITED, 2, 2))
    rows = endless.copy()
    rows.select_hyperslab((0, 0, 0), (h5py.h5s.UNLIMITED, 1, 1), (1, 1, 1), (1, 2, 2))
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_virtual(rows, b"raw_%b.h5", b"data", h5py.h5s.create_simple((1, 2, 2)))
    with h5py.File(files / "master.h5", "w") as file:
        h5py.h5d.create(file.id, b"data", h5py.h5t.STD_U16LE, endless, made)
        file.create_dataset("raw", (1,), "u2", external=[("lines.raw", 0, 8)])
    found = [str(files / f"raw_{number}.h5") for number in range(3)]
    with h5py.File(files / "master.h5") as file:
        assert linked_files(file, "/data", h5py.File) == found
        assert linked_files(file, "raw", h5py.File) == [str(files / "lines.raw")]


def test_a_file_is_looked_at_before_it_is_opened(files):
    with h5py.File(files / "a.h5", "w") as file:
        file["data"] = h5py.ExternalLink("b.h5", "/data")

    def refuse(path):
        raise PermissionError(path)

    with h5py.File(files / "a.h5") as file, pytest.raises(PermissionError, match=r"b\.h5"):
        linked_files(file, "data", pytest.fail, refuse)


def test_a_folder_with_links_in_a_circle(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "broken").symlink_to(tmp_path / "nothing")
    found = [os.path.relpath(path, tmp_path) for path in files_below(str(tmp_path))]
    assert found == ["a/file", "b/file", "broken"]


# -- the list as people see it -----------------------------------------------


def listed(*paths, run="run-1", size=1000, problem=None, fields=("img",)):
    there = ["gone" not in path for path in paths]
    return Files(
        ExternalFile(path, here, size if here else None, fields, run, "r", "s", path, problem)
        for path, here in zip(paths, there, strict=True)
    )


def test_a_list_of_files_is_a_table():
    files = listed("/data/a b.h5", "/data/gone.h5")
    assert repr(files).splitlines() == [
        "2 files, 1 there (1.0 kB)",
        "exists  size    fields  path",
        "yes     1.0 kB  img     /data/a b.h5",
        "no              img     /data/gone.h5",
    ]
    assert repr(files.missing).startswith("1 file, 0 there (0 B)")
    assert repr(listed("/a", "/b")).startswith("2 files, all there (2.0 kB)")
    assert repr(Files()) == "no external files"


def test_a_list_stays_one():
    files = listed("/a", "/gone", "/c")
    assert isinstance(files[1:], Files)
    assert files[1].path == "/gone"
    assert [each.path for each in files.missing] == ["/gone"]
    assert files.total == 2000


def test_files_of_several_runs_say_of_which(run):
    files = listed("/a") + listed("/a", "/b", run="another-run")
    files = Files(files)
    assert repr(files).splitlines()[:3] == [
        "2 files, all there (2.0 kB)",
        "run       exists  size    fields  path",
        "run-1     yes     1.0 kB  img     /a",
    ]
    assert files.total == 2000


def test_a_long_list_is_shortened():
    files = listed(*(f"/data/{number}.h5" for number in range(5000)))
    lines = repr(files).splitlines()
    assert len(lines) == 23
    assert lines[12] == "... and 4,980 more ..."
    assert "/data/0.h5" in lines[2]
    assert "/data/4999.h5" in lines[-1]
    html = files._repr_html_()
    assert "4,980 more" in html
    assert html.count("<tr") == 22


def test_problems_are_told_below():
    files = Files(file for n in range(9) for file in listed(f"/{n}", problem=f"problem {n % 5}"))
    assert repr(files).splitlines()[-4:] == [
        *(f"problem {n}" for n in range(3)),
        "... and 2 more problems: `problem` of each, or --json at the terminal",
    ]
    assert "problem 2" in files._repr_html_()


def test_names_of_files_do_no_harm():
    files = listed("/data/<script>\x1b[2J.h5", fields=("<b>",), problem="<i>")
    assert "\x1b" not in repr(files)
    for tag in ("<script>", "<b>", "<i>"):
        assert tag not in files._repr_html_()


def test_a_list_becomes_a_data_frame():
    frame = listed("/a", "/gone").to_frame()
    assert frame["path"].tolist() == ["/a", "/gone"]
    assert frame["exists"].dtype == bool
    assert frame["size"].sum() == 1000
    assert frame["size"].isna().tolist() == [False, True]
    assert frame["fields"].tolist() == ["img", "img"]
    assert list(Files().to_frame().columns) == list(frame.columns)
