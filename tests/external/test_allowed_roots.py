"""Hostile documents and files: nothing outside of the allowed roots is read, in whichever way."""

import h5py
import numpy as np
import pytest
import tifffile

import databroker
from databroker import Broker
from databroker.errors import DatabrokerError, FileRefused
from databroker.external.locate import uri_of_path
from helpers.external import NUMBER, Run, frames
from helpers.ways import WAYS

KEY = {"dtype": "array", "shape": [2, 2], "source": "sim"}
DATA = "/entry/data/data"
TIFF = "multipart/related;type=image/tiff"
NPY = "multipart/related;type=application/x-npy"
HDF5 = "application/x-hdf5"
ZARR = "application/x-zarr"
CSV = "text/csv;header=absent"


@pytest.fixture
def outside(tmp_path):
    """A folder with files of all kinds."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "sub").mkdir()
    data = frames(3, 2, 2)
    for number in range(3):
        np.save(folder / f"img_{number}.npy", data[number])
        tifffile.imwrite(folder / f"img_{number}.tif", data[number])
    with h5py.File(folder / "a.h5", "w") as file:
        file[DATA] = data
    data.tofile(folder / "raw")
    np.savetxt(folder / "a.csv", data[:, 0], delimiter=",")
    zarr = pytest.importorskip("zarr")
    zarr.create_array(str(folder / "a.zarr"), shape=(3, 2, 2), chunks=(1, 2, 2), dtype="u2")[:] = (
        data
    )
    return folder


@pytest.fixture
def inside(tmp_path, outside):
    """The only folder from which may be read, with links to the other one."""
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "link.h5").symlink_to(outside / "a.h5")
    (folder / "up").symlink_to(outside / "sub")
    link(folder / "external.h5", "../outside/a.h5")
    link(folder / "twice.h5", "external.h5")
    link(folder / "round.h5", "up/../a.h5")  # of the file system, not of the text
    with h5py.File(folder / "soft.h5", "w") as file:
        file["elsewhere"] = h5py.ExternalLink("../outside/a.h5", "/entry")
        file["entry"] = h5py.SoftLink("/elsewhere")
    virtual(folder / "virtual.h5", "../outside/a.h5")
    virtual(folder / "virtual_twice.h5", "virtual.h5")
    virtual(folder / "virtual_link.h5", "external.h5")
    with h5py.File(folder / "raw.h5", "w") as file:
        file.create_dataset(DATA, (3, 2, 2), "u2", external=[("../outside/raw", 0, 24)])
    return folder


def link(path, target):
    with h5py.File(path, "w") as file:
        file[DATA] = h5py.ExternalLink(target, DATA)


def virtual(path, target):
    layout = h5py.VirtualLayout((3, 2, 2), "u2")
    layout[:] = h5py.VirtualSource(target, DATA, (3, 2, 2))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset(DATA, layout)


@pytest.fixture
def db(inside):
    with Broker.from_config({"driver": "memory", "allowed_roots": [str(inside)]}) as made:
        yield made


@pytest.fixture
def datum(db):
    """A function that makes a run with datums."""

    def make(spec, root, path, kwargs, **more):
        run = Run(db.store)
        run.descriptor(img={**KEY, "external": "FILESTORE:"})
        run.resource(spec, root, path, **more)
        run.events(run.datums(kwargs))
        return db[-1]

    return make


@pytest.fixture
def stream(db):
    """A function that makes a run with a stream resource."""

    def make(mimetype, uri, **parameters):
        run = Run(db.store)
        descriptor = {"uid": "d", "run_start": run.uid, "time": 1.0, "name": "primary"}
        keys = {"img": {**KEY, "external": "STREAM:"}, "det": NUMBER}
        db.insert("descriptor", {**descriptor, "data_keys": keys})
        run.stream(mimetype, uri, data_key="img", **parameters)
        run.stream_datum(0, 3)
        return db[-1]

    return make


def check_refused(header, copies=None):
    """Raise unless all ways refuse to read, and nothing is copied into a given folder."""
    for way in WAYS:
        with pytest.raises(FileRefused, match="outside of the allowed roots") as caught:
            way(header, "img", "primary")
        assert (caught.value.run, caught.value.field) == (header.uid, "img")
    assert any(each.problem and "allowed roots" in each.problem for each in header.files())
    if copies is None:
        return
    with databroker.temp() as other, pytest.raises(DatabrokerError, match="allowed roots"):
        header.db.export(header, other, new_root=copies)
    assert not copies.exists()


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("{inside}", "../outside/img"),
        ("{inside}", "{outside}/img"),
        ("{inside}", "link/img"),
        ("{inside}/..", "outside/img"),
        ("", "{outside}/img"),
        ("{outside}", "img"),
    ],
)
def test_paths_of_resources(datum, inside, outside, tmp_path, root, path):
    root, path = (text.format(inside=inside, outside=outside) for text in (root, path))
    header = datum("NPY_SEQ", root, path, [{"index": number} for number in range(3)])
    check_refused(header, tmp_path / "copies")


def test_a_password_file(datum, inside, tmp_path):
    header = datum("DAT", inside, "../" * 20 + "etc/passwd", [{}])
    check_refused(header, tmp_path / "copies")


def test_indices_that_are_paths(datum, inside, tmp_path):
    indices = [{"index": f"/../../outside/img_{number}"} for number in range(3)]
    header = datum("NPY_SEQ", inside, "img", indices)
    check_refused(header, tmp_path / "copies")


@pytest.mark.parametrize("spec", ["IMAGE_SEQ", "AD_TIFF"])
def test_templates_of_resources(datum, inside, tmp_path, spec):
    points = [{"point_number": number} for number in range(3)]
    template = "%s../outside/%s_%d.tif"
    header = datum(spec, inside, "", points, template=template, filename="img")
    check_refused(header, tmp_path / "copies")


@pytest.mark.parametrize(
    "uri",
    [
        "file://localhost{inside}/../outside/a.h5",
        "file://localhost{inside}/%2e%2e/outside/a.h5",
        "file://localhost{inside}/..%2Foutside%2fa.h5",
        "file://localhost{inside}/link/a.h5",
        "file://localhost{inside}/link.h5",
        "FILE:{outside}/a.h5",
        "{inside}/../outside/a.h5",
    ],
)
def test_uris(stream, inside, outside, tmp_path, uri):
    header = stream(HDF5, uri.format(inside=inside, outside=outside), dataset=DATA)
    check_refused(header, tmp_path / "copies")


@pytest.mark.parametrize(
    ("mimetype", "parameters"),
    [
        (TIFF, {"template": "../outside/img_{:d}.tif"}),
        (TIFF, {"template": "%s_%d.tif", "filename": "../outside/img"}),
        (TIFF, {"template": "link/img_%d.tif"}),
        (NPY, {"filename": "../outside/img"}),
        (NPY, {"template": "link/%s_%d.npy", "filename": "img"}),
    ],
)
def test_templates_of_streams(stream, inside, tmp_path, mimetype, parameters):
    header = stream(mimetype, uri_of_path(str(inside)) + "/", **parameters)
    check_refused(header, tmp_path / "copies")


def test_text(stream, inside, outside, tmp_path):
    (inside / "a.csv").symlink_to(outside / "a.csv")
    header = stream(CSV, uri_of_path(str(inside / "a.csv")))
    check_refused(header, tmp_path / "copies")


@pytest.mark.parametrize("what", ["array", "array in a group", "path", "chunks", "chunk"])
def test_zarr(stream, inside, outside, tmp_path, what):
    zarr = pytest.importorskip("zarr")
    group, dataset = inside / "group.zarr", ""
    if what in ("array in a group", "path"):
        zarr.open_group(str(group), mode="w")
        (group / "inner").symlink_to(outside / "a.zarr")
        dataset = "inner" if what == "array in a group" else "../../outside/a.zarr"
    elif what == "array":
        group.symlink_to(outside / "a.zarr")
    else:
        zarr.create_array(str(group), shape=(3, 2, 2), chunks=(1, 2, 2), dtype="u2")[:] = 1
        moved = group / "c" if what == "chunks" else group / "c" / "1"
        moved.rename(outside / "chunks")
        moved.symlink_to(outside / "chunks")
    header = stream(ZARR, uri_of_path(str(group)), dataset=dataset)
    check_refused(header, tmp_path / "copies")


VIRTUAL = ["virtual", "virtual_twice", "virtual_link", "raw"]
LINKED = ["external", "twice", "round", "soft", *VIRTUAL]


@pytest.mark.parametrize("name", LINKED)
def test_links_in_hdf5_files_of_resources(datum, inside, name):
    points = [{"point_number": number} for number in range(3)]
    check_refused(datum("AD_HDF5", inside, f"{name}.h5", points))


@pytest.mark.parametrize("name", ["beside", "virtual_beside", "raw_beside"])
def test_links_in_hdf5_files_that_lead_to_the_working_folder(
    datum, inside, tmp_path, monkeypatch, name
):
    link(inside / "beside.h5", "outside/a.h5")
    virtual(inside / "virtual_beside.h5", "outside/a.h5")
    with h5py.File(inside / "raw_beside.h5", "w") as file:
        file.create_dataset(DATA, (3, 2, 2), "u2", external=[("outside/raw", 0, 24)])
    monkeypatch.chdir(tmp_path)
    check_refused(datum("AD_HDF5", inside, f"{name}.h5", [{"point_number": 0}]))


@pytest.mark.parametrize("variable", ["HDF5_EXT_PREFIX", "HDF5_VDS_PREFIX"])
def test_links_in_hdf5_files_that_lead_to_a_folder_of_the_environment(
    datum, inside, outside, monkeypatch, variable
):
    monkeypatch.setenv(variable, f"/nowhere:{outside}")
    {"HDF5_EXT_PREFIX": link, "HDF5_VDS_PREFIX": virtual}[variable](inside / "b.h5", "a.h5")
    check_refused(datum("AD_HDF5", inside, "b.h5", [{"point_number": 0}]))


ONE = {"template": "%s%s_%d.h5", "filename": "all"}
OTHERS = {
    "AD_HDF5_TS": ("all_0.h5", {}, {"point_number": 0}),
    "AD_HDF5_SWMR_TS": ("all_0.h5", {}, {"point_number": 0}),
    "AD_HDF5_SINGLE": ("", ONE, {"point_number": 0}),
    "AD_EIGER": ("all", {"images_per_file": 1}, {"seq_id": 0}),
    "XSP3": ("all_0.h5", {}, {"frame": 0, "channel": 1}),
    "XSP3_FLY": ("all_0.h5", {}, {}),
    "LAB": ("all_0.h5", {}, {}),
}


@pytest.mark.parametrize("spec", OTHERS)
@pytest.mark.parametrize("how", ["external", "virtual", "twice", "late"])
def test_links_in_hdf5_files_that_other_handlers_open(db, datum, inside, spec, how):
    pytest.importorskip("area_detector_handlers")

    class Handler:  # of a laboratory, without a list of files
        def __init__(self, path):
            self.path = path

        def __call__(self):
            with h5py.File(self.path) as file:
                return file[DATA][:]

    db.reg.register_handler("LAB", Handler)
    path = inside / "all_0.h5"
    if how == "virtual":
        virtual(path, "../outside/a.h5")
    else:
        with h5py.File(path, "w", userblock_size=2048 if how == "late" else 0) as file:
            target = "external.h5" if how == "twice" else "../outside/a.h5"
            file["entry"] = h5py.ExternalLink(target, "/entry")
    name, resource, kwargs = OTHERS[spec]
    header = datum(spec, inside, name, [kwargs], **resource)
    for way in WAYS:
        with pytest.raises(FileRefused, match="outside of the allowed roots"):
            way(header, "img", "primary")


def test_other_handlers_read_what_links_nowhere_else(datum, inside):
    pytest.importorskip("area_detector_handlers")
    with h5py.File(inside / "real.h5", "w") as file:
        file["data"] = frames(3, 2, 2)
    with h5py.File(inside / "a.h5", "w") as file:
        file["entry/instrument/detector/data"] = h5py.ExternalLink("real.h5", "/data")
        file["soft"] = h5py.SoftLink("/entry")
        file["round"] = file["entry"]
    header = datum("XSP3_FLY", inside, "a.h5", [{}])
    np.testing.assert_array_equal(next(header.data("img")), frames(3, 2, 2))


@pytest.mark.parametrize("way", ["SINGLE_TIFF", "AD_TIFF", "stream"])
def test_pictures_that_name_others(datum, stream, inside, outside, way):
    """One image of two files, as microscopes write: only our own file's is read."""
    pixels = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{own}">'
        '<Image ID="Image:0"><Pixels DimensionOrder="XYZCT" ID="Pixels:0" SizeC="1" SizeT="1" '
        'SizeX="2" SizeY="2" SizeZ="2" Type="uint16"><Channel ID="Channel:0:0" '
        'SamplesPerPixel="1"/><TiffData FirstZ="0" IFD="0" PlaneCount="1"><UUID '
        'FileName="a_0.tif">urn:uuid:1</UUID></TiffData><TiffData FirstZ="1" IFD="0" '
        'PlaneCount="1"><UUID FileName="../outside/b.tif">urn:uuid:2</UUID></TiffData></Pixels>'
        "</Image></OME>"
    )
    for path, own in ((inside / "a_0.tif", 1), (outside / "b.tif", 2)):
        picture = np.full((2, 2), own, "u2")
        tifffile.imwrite(path, picture, description=pixels.format(own=own), metadata=None)
    assert 2 in tifffile.imread(inside / "a_0.tif")  # so the library would
    if way == "stream":
        header = stream(TIFF, uri_of_path(str(inside)) + "/", template="a_{:d}.tif")
        found = header.streams["primary"].array("img")[0]
    elif way == "AD_TIFF":
        template = {"template": "%s%s_%d.tif", "filename": "a"}
        found = next(datum(way, inside, "", [{"point_number": 0}], **template).data("img"))
    else:
        found = next(datum(way, inside, "a_0.tif", [{}]).data("img"))
    assert np.unique(found).tolist() == [1]


@pytest.mark.parametrize("name", LINKED)
def test_links_in_hdf5_files_of_streams(stream, inside, name):
    check_refused(stream(HDF5, uri_of_path(str(inside / f"{name}.h5")), dataset=DATA))


@pytest.mark.parametrize("name", VIRTUAL)
def test_the_only_dataset_of_a_file(stream, inside, name):
    check_refused(stream(HDF5, uri_of_path(str(inside / f"{name}.h5"))))


@pytest.mark.parametrize("name", ["external", "twice", "soft", "virtual", "virtual_twice"])
def test_what_is_inside_is_read_through_links(stream, inside, outside, tmp_path, name):
    for path in outside.glob("*"):
        if path.is_file():
            path.rename(inside / path.name)
    outside.rename(tmp_path / "gone")
    outside.symlink_to(inside)
    header = stream(HDF5, uri_of_path(str(inside / f"{name}.h5")), dataset=DATA)
    np.testing.assert_array_equal(list(header.data("img")), frames(3, 2, 2))


@pytest.mark.parametrize("allowed", ["inside", "other name"])
@pytest.mark.parametrize("root", ["inside", "other name"])
def test_a_root_that_is_a_link(inside, tmp_path, allowed, root):
    np.save(inside / "own_0.npy", frames(1, 2, 2)[0])
    (tmp_path / "other name").symlink_to(inside)
    config = {"driver": "memory", "allowed_roots": [str(tmp_path / allowed)]}
    with Broker.from_config(config) as db:
        run = Run(db.store)
        run.descriptor()
        run.resource("NPY_SEQ", tmp_path / root, "own")
        run.events(run.datums([{"index": 0}]))
        assert next(db[-1].data("img")).shape == (2, 2)
        with pytest.raises(FileRefused):
            db.reg.place({"root": str(tmp_path / root), "resource_path": "../outside/img_0.npy"})
