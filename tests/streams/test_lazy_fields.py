"""One field, read when it is sliced: like a NumPy array, and at the cost of its own rows."""

import threading
import tracemalloc

import numpy as np
import pytest

from databroker.columns import segments
from databroker.errors import DatabrokerError, NoSuchField
from helpers.run_builder import RunBuilder, number, opened

# What takes memory to import is imported before any is measured.
pytest.importorskip("xarray")
pytest.importorskip("dask.array")

EVENTS, POINTS = 10_000, 2_000
MB = 2**20


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    """A stream of 10 000 events with a waveform of 2 000 points, 160 MB; waveform[i] == i."""
    db = opened("sqlite", tmp_path_factory.mktemp("long"))
    run = RunBuilder(db)
    owner = run.descriptor({"x": number(), "wave": number("array", [POINTS])})
    for first in range(0, EVENTS, 1000):
        wave = np.repeat(np.arange(first, first + 1000.0)[:, None], POINTS, 1)
        numbers = range(first + 1, first + 1001)
        run.page(owner, numbers, x=[n / 2 for n in numbers], wave=list(wave))
    yield run.stop()
    db.close()


@pytest.fixture
def bytes_read(monkeypatch):
    """How many bytes of stored blocks have been read: a list of numbers."""
    sizes: list[int] = []
    unpack = segments.unpack

    def counted(blob, columns):
        sizes.append(len(blob))
        return unpack(blob, columns)

    monkeypatch.setattr(segments, "unpack", counted)
    return sizes


def peak(action):
    """Return what an action gives, and how many MB it took at most."""
    tracemalloc.start()
    try:
        return action(), tracemalloc.get_traced_memory()[1] / MB
    finally:
        tracemalloc.stop()


def test_a_long_stream_is_read_slice_by_slice_in_little_memory(long_run):
    wave = long_run.streams["primary"]["wave"]

    def slices():
        return sum(wave[first : first + 500].sum() for first in range(0, EVENTS, 500))

    total, most = peak(slices)
    assert total == POINTS * sum(range(EVENTS))
    assert most < 32


def test_documents_and_values_come_one_by_one_in_little_memory(long_run):
    total, most = peak(lambda: sum(int(wave[0]) for wave in long_run.data("wave")))
    assert total == sum(range(EVENTS))
    assert most < 32
    numbers, most = peak(lambda: [event["seq_num"] for event in long_run.events()])
    assert numbers == list(range(1, EVENTS + 1))
    assert most < 32


def test_events_that_are_stored_in_another_order_come_in_little_memory_too(sqlite_db, new_run, key):
    run = new_run(sqlite_db)
    owner = run.descriptor({"wave": key("array", [POINTS])})
    for first in reversed(range(0, 4000, 500)):
        numbers = range(first + 500, first, -1)
        run.page(owner, numbers, wave=[np.full(POINTS, float(n)) for n in numbers])
    header = run.stop()
    values, most = peak(lambda: [int(wave[-1]) for wave in header.data("wave")])
    assert values == list(range(1, 4001))
    assert most < 40


def test_a_slice_reads_only_the_blocks_that_hold_it(long_run, bytes_read):
    wave = long_run.streams["primary"]["wave"]
    bytes_read.clear()
    assert wave[5000:5010, 0].tolist() == list(range(5000, 5010))
    assert sum(bytes_read) < 10 * MB


def test_a_loop_over_events_reads_each_block_once(long_run, bytes_read):
    stream = long_run.streams["primary"]
    assert stream["wave"].shape == (EVENTS, POINTS)
    bytes_read.clear()
    assert [stream["wave"][row][0] for row in range(300)] == list(range(300))
    assert sum(bytes_read) < 16 * MB


def test_scalars_do_not_touch_the_waveform(long_run, bytes_read):
    stream = long_run.streams["primary"]
    assert stream.read(["x"]).x.values[-1] == EVENTS / 2
    assert stream.to_dask(["x"]).x.values[-1] == EVENTS / 2
    assert stream["x"][-1] == EVENTS / 2
    assert stream.table(["x"])["x"].iloc[-1] == EVENTS / 2
    assert stream.timestamps["x"][-1] == 1000.0 + EVENTS
    assert sum(bytes_read) < 4 * MB


def test_a_lazy_dataset_is_made_without_loading_the_data(long_run, bytes_read):
    dataset, most = peak(long_run.xarray_dask)
    assert dataset.wave.shape == (EVENTS, POINTS)
    assert sum(bytes_read) < 32 * MB  # of 160: some are looked at, to find the type
    assert most < 32
    assert max(dataset.chunks["time"]) * POINTS * 8 <= 16 * MB
    assert sum(dataset.chunks["time"]) == EVENTS


def test_a_few_rows_of_a_lazy_dataset_cost_a_few_rows(long_run, bytes_read):
    dataset = long_run.xarray_dask()
    bytes_read.clear()
    few = dataset.isel(time=slice(9990, 9995)).compute(scheduler="sync")
    assert few.wave.values[:, -1].tolist() == list(range(9990, 9995))
    assert few.x.values.tolist() == [n / 2 for n in range(9991, 9996)]
    assert sum(bytes_read) < 10 * MB


def test_a_reduction_takes_a_few_chunks(long_run):
    wave = long_run.xarray_dask(fields=["wave"]).wave
    mean, most = peak(lambda: wave.mean().compute(scheduler="sync"))
    assert float(mean) == (EVENTS - 1) / 2
    assert most < 80


INDICES = [
    5,
    -1,
    slice(None),
    slice(3, 7),
    slice(-4, None),
    slice(None, None, 3),
    slice(8, 2, -2),
    slice(20, 30),
    [1, 5, 1],
    np.array([-1, 0]),
    [],
    np.arange(12) % 2 == 0,
    (slice(2, 4), 1),
    (3, slice(None), 2),
    (slice(None), slice(1, 3), -1),
    (Ellipsis, 0),
    (slice(1, 3), Ellipsis),
    (Ellipsis,),
    (),
    ([0, 2], 1),
    ([0, 2], [1, 2], [0, 0]),
    (slice(0, 2), [0, 2]),
    (np.int64(3), np.int64(1)),
]


@pytest.fixture
def small(db, new_run, key):
    """Twelve events in three descriptors whose events come in any order."""
    run = new_run(db)
    keys = {"img": key("array", [3, 4])}
    owners = [run.descriptor(keys, uid=uid) for uid in "abc"]
    for seq_num in (5, 2, 9, 1, 12, 3, 4, 8, 7, 6, 11, 10):
        img = np.arange(12).reshape(3, 4) + 100 * seq_num
        run.event(owners[seq_num % 3], seq_num=seq_num, img=img)
    return run.stop()


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing_is_numpys(small, index):
    img = small.streams["primary"]["img"]
    whole = np.array(list(small.data("img")))
    assert np.array_equal(img[index], whole[index])
    assert np.array_equal(img.to_dask(((5, 7), 3, 4))[:4].compute(scheduler="sync"), whole[:4])


@pytest.mark.parametrize("index", [12, -13, (0, 0, 0, 0), None, (slice(None), None)], ids=str)
def test_indices_that_lead_nowhere_are_refused(small, index):
    with pytest.raises(IndexError):
        small.streams["primary"]["img"][index]


def test_it_is_an_array_to_numpy(small):
    img = small.streams["primary"]["img"]
    assert (img.ndim, img.size, img.nbytes, len(img)) == (3, 144, 1152, 12)
    assert np.asarray(img).shape == img.shape
    assert np.asarray(img, "f4").dtype == np.float32
    assert np.array_equal(np.stack(list(img)), np.asarray(img))
    assert repr(img) == "<LazyArray 'img' shape=(12, 3, 4) dtype=int64>"
    assert img.data_key["shape"] == [3, 4]


def test_a_field_that_is_not_there_is_said_so(small):
    stream = small.streams["primary"]
    assert list(stream) == stream._ipython_key_completions_() == ["img"]
    assert "img" in stream
    assert "image" not in stream
    with pytest.raises(NoSuchField, match="Did you mean 'img'"):
        stream["image"]
    with pytest.raises(NoSuchField):
        stream["im.*"]


def test_a_run_in_progress_is_followed_by_asking_again(db, new_run):
    run = new_run(db)
    owner = run.descriptor(["x"])
    stream = None
    for n in range(1, 4):
        run.event(owner, x=float(n))
        stream = stream or run.header.streams["primary"]
        assert stream["x"][-1] == n
        assert len(stream.read().time) == stream.to_dask().x.size == stream.num_events == n
    before = stream["x"]
    run.event(owner, x=4.0)
    assert (len(before), len(stream["x"])) == (3, 4)


def test_lazy_data_stay_right_while_the_run_is_stored_in_blocks(sqlite_db, new_run, key):
    run = new_run(sqlite_db)
    owner = run.descriptor({"x": key(), "wave": key("array", [500])})
    for n in range(1, 101):
        run.event(owner, x=float(n), wave=np.full(500, n))
    lazy = run.header.xarray_dask()
    for n in range(101, 1201):
        run.event(owner, x=float(n), wave=np.full(500, n))
    run.stop()
    assert lazy.compute(scheduler="sync").wave.values[:, 0].tolist() == list(range(1, 101))


def test_a_field_that_changes_where_nobody_looked_is_said_so(sqlite_db, new_run, key):
    run = new_run(sqlite_db)
    owner = run.descriptor({"wave": key("array", [POINTS])})
    sizes = [POINTS] * 2600
    sizes[700] = 3
    for first in range(0, len(sizes), 100):
        waves = [np.zeros(size) for size in sizes[first : first + 100]]
        run.page(owner, range(first + 1, first + 101), wave=waves)
    stream = run.stop().streams["primary"]
    wave = stream["wave"]
    assert wave[:100].shape == (100, POINTS)
    with pytest.raises(DatabrokerError, match="'wave' changes"):
        wave[650:750]
    with pytest.warns(UserWarning, match="varying shape"):
        assert stream.read().wave.values[700].tolist() == [0, 0, 0]


def test_many_threads_read_the_same_field(long_run):
    stream = long_run.streams["primary"]
    wave, found, threads = stream["wave"], {}, []

    def look(start):
        found[start] = [float(wave[row][1]) for row in range(start, start + 600, 7)]

    for start in range(0, 6000, 1500):
        threads.append(threading.Thread(target=look, args=[start]))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert found == {start: list(range(start, start + 600, 7)) for start in found}
    assert len(found) == 4
