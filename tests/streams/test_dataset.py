"""A stream as a dataset, in memory."""

import subprocess
import sys

import numpy as np
import pytest

from databroker.errors import NoSuchField, NoSuchStream


@pytest.fixture
def header(db, new_run, key):
    run = new_run(db)
    keys = {
        "motor": key(units="mm", precision=3),
        "det": key("integer", dtype_numpy="<u2"),
        "wave": key("array", [3]),
        "img": key("array", [2, 4], dims=["y", "x"], dtype_numpy="<f4"),
    }
    owner = run.descriptor(keys)
    for n in range(1, 4):
        wave = [n, n + 1, n + 0.5]
        run.event(owner, motor=n / 2, det=n, wave=wave, img=np.full((2, 4), n, "<f4"))
    return run.stop()


def test_it_has_a_variable_for_each_field_in_the_order_of_the_descriptor(header):
    dataset = header.streams["primary"].read()
    assert list(dataset.data_vars) == ["motor", "det", "wave", "img"]
    assert dataset.motor.values.tolist() == [0.5, 1.0, 1.5]
    assert dataset.wave.values.tolist() == [[1, 2, 1.5], [2, 3, 2.5], [3, 4, 3.5]]


def test_it_runs_along_time_with_seq_num_beside_it(header):
    dataset = header.xarray()
    assert dataset.time.dtype == np.dtype("datetime64[ns]")
    assert dataset.time.attrs == {"timezone": "UTC"}
    stamps = np.datetime64(1001, "s") + np.arange(3)
    assert (dataset.time.values == stamps).all()
    assert set(dataset.coords) == {"time", "seq_num"}
    assert dataset.seq_num.values.tolist() == [1, 2, 3]
    assert dataset.sel(time="1970-01-01T00:16:42").det == 2


def test_time_may_be_in_seconds(header):
    stream = header.streams["primary"]
    for dataset in (
        header.xarray(convert_times=False),
        header.xarray_dask(convert_times=False),
        stream.timestamps.read(convert_times=False),
        stream.timestamps.to_dask(convert_times=False),
    ):
        assert dataset.time.dtype == np.float64
        assert dataset.time.values.tolist() == [1001.0, 1002.0, 1003.0]
        assert dataset.time.attrs == {"units": "seconds since 1970-01-01 UTC"}
    assert header.xarray(convert_times=False).sel(time=1002.0).det == 2


def test_every_dataset_has_one_clock(header):
    stream = header.streams["primary"]
    stamps = stream.table()["time"].to_numpy()
    for dataset in (header.xarray(), header.xarray_dask(), header.align()):
        assert (dataset.time.values == stamps).all()
    for view in (stream.timestamps, *stream.config.values()):
        assert (view.read().time.values == stamps).all()
        assert (view.to_dask().time.values == stamps).all()


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_a_dataset_with_stamps_can_be_written_and_read_again(header, tmp_path):
    import xarray

    dataset = header.xarray(fields=["motor", "det"])
    dataset.to_zarr(tmp_path / "run.zarr")
    with xarray.open_zarr(tmp_path / "run.zarr") as again:
        assert (again.time.values == dataset.time.values).all()


def test_a_table_says_what_its_times_are(header):
    stream = header.streams["primary"]
    for table in (header.table(), stream.timestamps.table(), stream.table([])):
        assert table.attrs["time"] == "UTC"
        assert table["time"].dt.tz is None
    assert stream.config_changes().attrs["time"] == "UTC"
    assert header.table(timezone="Asia/Tokyo").attrs["time"] == "Asia/Tokyo"
    seconds = stream.table(convert_times=False)
    assert seconds.attrs["time"] == "seconds since 1970-01-01 UTC"
    both = header.db.get_table([header, header])
    assert both.attrs["time"] == "UTC"
    assert header.table(fill=True).attrs["time"] == "UTC"


def test_dimensions_are_declared_or_numbered(header):
    dataset = header.xarray()
    assert dataset.img.dims == ("time", "y", "x")
    assert dataset.wave.dims == ("time", "dim_0")


def test_numpy_dtypes_are_kept_where_declared(header):
    dataset = header.xarray()
    assert dataset.det.dtype == np.dtype("<u2")
    assert dataset.img.dtype == np.dtype("<f4")
    assert dataset.wave.dtype == np.float64


def test_attributes_say_what_was_measured_and_in_which_run(header):
    dataset = header.xarray()
    expected = {"units": "mm", "precision": 3, "source": "PV:test", "object": "dev_motor"}
    assert dataset.motor.attrs == expected
    assert dataset.attrs == {
        "uid": "run",
        "scan_id": 7,
        "plan_name": "scan",
        "stream": "primary",
        "start_time": 1000.0,
        "stop_time": 2000.0,
        "exit_status": "success",
    }


def test_fields_are_chosen_as_in_a_table(header):
    stream = header.streams["primary"]
    assert list(stream.read(["det", "mo.*"]).data_vars) == ["motor", "det"]
    assert list(stream.read("wave").data_vars) == ["wave"]
    assert list(stream.read([]).data_vars) == []
    assert stream.read(["det", "plan_name"]).plan_name.values.tolist() == ["scan"] * 3
    with pytest.raises(NoSuchField, match="Did you mean 'motor'"):
        stream.read(["motr"])


def test_a_stream_that_is_not_there_is_said_so(header):
    with pytest.raises(NoSuchStream, match="it has: 'primary'"):
        header.xarray("baseline")
    with pytest.raises(KeyError):
        header.xarray_dask("baseline")


def test_a_shape_that_disagrees_is_taken_from_the_data_and_warned_of_once(db, new_run, key):
    run = new_run(db)
    owner = run.descriptor({"a": key("array", [5]), "b": key(), "c": key("array", [2])})
    for _ in range(3):
        run.event(owner, a=[1, 2], b=[1.0, 2.0, 3.0], c=[1, 2])
    with pytest.warns(UserWarning, match=r"'a' has shape \[2\], declared \[5\]; 'b'") as caught:
        dataset = run.header.xarray()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert (dataset.a.shape, dataset.b.shape) == ((3, 2), (3, 3))


def test_a_declared_dtype_that_would_change_a_value_is_not_taken(db, new_run, key):
    run = new_run(db)
    owner = run.descriptor(
        {"u": key(dtype_numpy="<u2"), "f": key(dtype_numpy="<f4"), "odd": key(dtype_numpy="zebra")}
    )
    run.event(owner, u=-1, f=0.1, odd=1)
    dataset = run.header.xarray()
    assert (dataset.u.dtype, dataset.f.dtype, dataset.odd.dtype) == ("int64", "float64", "int64")
    assert (int(dataset.u[0]), float(dataset.f[0])) == (-1, 0.1)


def test_integers_beyond_int64_come_as_declared(db, new_run, key):
    run = new_run(db)
    owner = run.descriptor({"n": key("integer", dtype_numpy="<u8")})
    run.event(owner, n=2**64 - 1)
    assert run.header.xarray().n.values.tolist() == [2**64 - 1]
    assert run.header.xarray().n.dtype == np.uint64


def test_names_of_coordinates_and_dimensions_do_not_clash(db, new_run, key):
    run = new_run(db)
    keys = {
        "time": key(),
        "seq_num": key(),
        "x": key("array", [2], dims=["x"]),
        "y": key("array", [3], dims=["time"]),
        "dim_0": key("array", [4]),
    }
    owner = run.descriptor(keys)
    data = {"time": 5.0, "seq_num": 6.0, "x": [1, 2], "y": [1, 2, 3], "dim_0": [1, 2, 3, 4]}
    run.event(owner, data=data)
    for dataset in (run.header.xarray(), run.header.xarray_dask().compute()):
        assert dataset.time.values.tolist() == [1001 * 10**9]
        assert dataset.time_data.values.tolist() == [5.0]
        assert dataset.seq_num_data.values.tolist() == [6.0]
        assert dataset.time_data.attrs["data_key"] == "time"
        assert dataset.x.values.tolist() == [[1, 2]]
        assert dataset.dim_0.values.tolist() == [[1, 2, 3, 4]]


def test_fields_share_a_declared_dimension_only_if_it_is_as_long(db, new_run, key):
    run = new_run(db)
    keys = {name: key("array", [size], dims=["e"]) for name, size in (("a", 2), ("b", 2), ("c", 3))}
    run.event(run.descriptor(keys), a=[1, 2], b=[3, 4], c=[5, 6, 7])
    dataset = run.header.xarray()
    assert [dataset[name].dims[1] for name in "abc"] == ["e", "e", "c_e"]


def test_without_the_packages_the_error_says_what_to_install(sqlite_db, new_run):
    run = new_run(sqlite_db)
    run.event(run.descriptor(["x"]), x=1.0)
    script = """
import sys
sys.modules["xarray"] = sys.modules["dask"] = sys.modules["dask.array"] = None
from databroker import Broker
from databroker.errors import MissingExtra
header = Broker.from_config({"driver": "sqlite", "path": sys.argv[1]})[-1]
stream = header.streams["primary"]
assert stream["x"][0] == 1.0
for load in (header.xarray, header.xarray_dask, header.align, stream["x"].to_dask):
    try:
        load()
    except MissingExtra as error:
        assert "pip install 'databroker[arrays]'" in str(error)
    else:
        raise AssertionError(load)
"""
    path = str(sqlite_db.store.path)
    subprocess.run([sys.executable, "-c", script, path], check=True, timeout=60)


def test_tables_need_neither_xarray_nor_dask(sqlite_db, new_run):
    run = new_run(sqlite_db)
    run.event(run.descriptor(["x"], config={"m": {"v": 1}}), x=1.0)
    script = """
import sys
from databroker import Broker
header = Broker.from_config({"driver": "sqlite", "path": sys.argv[1]})[-1]
stream = header.streams["primary"]
assert len(header.table()) == 1 and list(header.data("x")) == [1.0]
stream.timestamps.table(), stream.config["m"].table(), stream.config_changes()
assert stream["x"][:].tolist() == [1.0] and stream.timestamps["x"][0] == 1001.25
assert not {"xarray", "dask"} & sys.modules.keys()
"""
    path = str(sqlite_db.store.path)
    subprocess.run([sys.executable, "-c", script, path], check=True, timeout=60)
