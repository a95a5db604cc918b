"""Stores and registries, runs with external data, and the files that they point to."""

import os
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest
import tifffile

from databroker import Broker
from databroker.external import Registry
from databroker.external.locate import uri_of_path
from databroker.stores.http import HTTPStore
from databroker.stores.registry import open_store
from helpers.external import FRAME, Run, frames
from helpers.http_server import TOKEN

WRITER = """
import sys, h5py, numpy as np
path, swmr = sys.argv[1], sys.argv[2] == "swmr"
file = h5py.File(path, "w", libver="latest")
data = file.create_dataset("/entry/data/data", (0, 4, 6), "u2", maxshape=(None, 4, 6),
                           chunks=(1, 4, 6))
if swmr:
    file.swmr_mode = True
for line in sys.stdin:
    count = int(line)
    old = len(data)
    data.resize(count, axis=0)
    for number in range(old, count):
        data[number] = number
    data.flush()
    print(count, flush=True)
file.close()
"""


@pytest.fixture
def store(tmp_path):
    opened = open_store("sqlite", path=tmp_path / "runs.db")
    yield opened
    opened.close()


@pytest.fixture
def run(store):
    return Run(store)


@pytest.fixture
def served(http_server, monkeypatch):
    """A broker of an empty source that another process serves; here, it may open no file."""
    monkeypatch.setenv("DATABROKER_TOKEN", TOKEN)  # which other processes have, too
    store = HTTPStore(http_server.uri(http_server.take()))
    with Broker(store, registry=Registry(allowed_roots=["/nowhere"])) as made:
        yield made


@pytest.fixture
def registry():
    made = Registry()
    yield made
    made.close()


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def everything(run, files):
    """A run with a sequence, an HDF5 file of two fields, a streamed file, and a folder of TIFFs."""
    (files / "a b").mkdir()
    for number in range(3):
        np.save(files / "a b" / f"img_{number}.npy", frames(3, 4, 5)[number])
    with h5py.File(files / "cam.h5", "w") as file:
        file["/entry/data/data"] = frames(3, 4, 6)
    descriptor = run.descriptor(cam=FRAME, tif=FRAME)
    run.resource("NPY_SEQ", files, "a b/img")
    run.events(run.datums([{"index": number} for number in range(3)]))
    run.stream("application/x-hdf5", uri_of_path(str(files / "cam.h5")), dataset="/entry/data/data")
    run.stream_datum(0, 3)
    (files / "tiffs").mkdir()
    for number in range(3):
        tifffile.imwrite(files / "tiffs" / f"{number}.tif", frames(3, 4, 6)[number])
    uri = uri_of_path(str(files / "tiffs")) + "/"
    run.stream("multipart/related;type=image/tiff", uri, "tiffs", "tif", template="{:d}.tif")
    run.stream_datum(0, 3, "tiffs")
    return descriptor


@pytest.fixture
def nobody():
    """Live as a user who may not read everything."""
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no users to change to")
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def writer(files):
    """Another process that writes as many frames as it is told, and keeps the file open."""
    processes = []

    def start(swmr):
        path = files / "growing.h5"
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), swmr]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        processes.append(process)

        def write(count):
            process.stdin.write(f"{count}\n")
            assert process.stdout.readline().strip() == str(count)

        return path, write

    yield start
    for process in processes:
        process.stdin.close()
        process.stdout.close()
        assert process.wait(20) == 0
